package testjob;

import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction;
import org.apache.flink.util.Collector;

/** Keeps the last ten broadcast numbers in broadcast state. */
final class BroadcastRules extends BroadcastProcessFunction<Long, Long, Long> {
    static final MapStateDescriptor<Long, Long> RULES = new MapStateDescriptor<>("rules", Types.LONG, Types.LONG);

    @Override
    public void processElement(Long number, ReadOnlyContext context, Collector<Long> out) {
        // The rules change nothing; their state is what counts.
    }

    @Override
    public void processBroadcastElement(Long rule, Context context, Collector<Long> out) throws Exception {
        context.getBroadcastState(RULES).put(rule % 10, rule);
    }
}
