package testjob;

import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/** Passes everything on and counts it in union list state. */
final class UnionCount extends ProcessFunction<Tuple2<Long, Long>, Tuple2<Long, Long>> implements CheckpointedFunction {
    private transient ListState<Long> state;
    private long total;

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        state = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("union-count", Types.LONG));
        for (Long restored : state.get()) {
            total = Math.max(total, restored);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        state.clear();
        state.add(total);
    }

    @Override
    public void processElement(Tuple2<Long, Long> value, Context context, Collector<Tuple2<Long, Long>> out) {
        total++;
        out.collect(value);
    }
}
