package statejob;

import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction;
import org.apache.flink.util.Collector;

/** Operator state: a list that is split, one that goes to all, and broadcast rules. */
final class Ends extends BroadcastProcessFunction<Long, Long, Long> implements CheckpointedFunction {
    static final MapStateDescriptor<String, Tuple2<Long, String>> RULES = new MapStateDescriptor<>("rules", Types.STRING, Types.TUPLE(Types.LONG, Types.STRING));

    private transient ListState<Tuple2<Integer, String>> split;
    private transient ListState<Long> union;
    private long total;

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        split = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("split", Types.TUPLE(Types.INT, Types.STRING)));
        union = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("union", Types.LONG));
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        split.clear();
        for (int i = 0; i < 3; i++) {
            split.add(Tuple2.of(i, "part " + i));
        }
        union.clear();
        union.add(total);
    }

    @Override
    public void processElement(Long number, ReadOnlyContext context, Collector<Long> out) {
        total++;
    }

    @Override
    public void processBroadcastElement(Long rule, Context context, Collector<Long> out) throws Exception {
        context.getBroadcastState(RULES).put("rule " + rule % 3, Tuple2.of(rule, "é中😀"));
    }
}
