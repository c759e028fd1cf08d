package testjob;

import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

import java.io.IOException;

/**
 * Counts per key and emits (key, count): 1, 2, 3 … for each key as long as no state is lost or doubled. Value, list and map state; an
 * event-time timer per key fires only at the end of time, that is when the job is drained, and emits (key, -1).
 */
final class KeyedCount extends KeyedProcessFunction<Long, Long, Tuple2<Long, Long>> implements CheckpointedFunction {
    private final String type;
    private final int stateBytes;
    private final Controls controls;
    private transient ValueState<Object> count;
    private transient ListState<Long> recent;
    private transient MapState<Long, byte[]> ballast;
    private transient long seen;

    KeyedCount(String type, int stateBytes, Controls controls) {
        this.type = type;
        this.stateBytes = stateBytes;
        this.controls = controls;
    }

    /** The count as an object, for restores onto another type. */
    public static final class Count {
        public long total;
        public String text = "";
    }

    @Override
    @SuppressWarnings({"unchecked", "rawtypes"})
    public void initializeState(FunctionInitializationContext context) throws Exception {
        if (context.isRestored() && controls.on("fail-restore")) {
            throw new IllegalStateException("fail-restore requested");
        }
        ValueStateDescriptor descriptor =
                type.equals("string") ? new ValueStateDescriptor<>("count", Types.STRING)
                : type.equals("pojo") ? new ValueStateDescriptor<>("count", Types.POJO(Count.class))
                : new ValueStateDescriptor<>("count", Types.LONG);
        count = (ValueState<Object>) context.getKeyedStateStore().getState(descriptor);
        recent = context.getKeyedStateStore().getListState(new ListStateDescriptor<>("recent", Types.LONG));
        ballast = context.getKeyedStateStore().getMapState(new MapStateDescriptor<>("blob", Long.class, byte[].class));
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        Thread.sleep(controls.number("sleep-ms"));
        while (controls.on("hold-snapshot")) {
            Thread.sleep(50);
        }
        if (controls.on("fail-snapshot")) {
            throw new IOException("fail-snapshot requested");
        }
    }

    @Override
    public void processElement(Long number, Context context, Collector<Tuple2<Long, Long>> out) throws Exception {
        if (seen++ % 20 == 0 && controls.on("fail-process")) {
            throw new IllegalStateException("fail-process requested");
        }
        long next = 1 + read(count.value());
        count.update(write(next));
        if (next % 10 == 1) {
            recent.clear();
        }
        recent.add(number);
        ballast.put(next % 4, new byte[stateBytes]);
        if (next == 1) {
            context.timerService().registerEventTimeTimer(Long.MAX_VALUE - 1);
        }
        out.collect(Tuple2.of(context.getCurrentKey(), next));
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<Tuple2<Long, Long>> out) {
        out.collect(Tuple2.of(context.getCurrentKey(), -1L));
    }

    private static long read(Object value) {
        return value == null ? 0 : value instanceof Count ? ((Count) value).total : Long.parseLong(value.toString());
    }

    private Object write(long total) {
        if (type.equals("string")) {
            return Long.toString(total);
        }
        if (type.equals("pojo")) {
            Count value = new Count();
            value.total = total;
            return value;
        }
        return total;
    }
}
