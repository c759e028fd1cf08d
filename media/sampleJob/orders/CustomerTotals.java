package orders;

import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Per customer: the revenue in cents, and how much of each product was bought. Emits a line each time the revenue passes another thousand. */
final class CustomerTotals extends KeyedProcessFunction<String, Order, String> implements CheckpointedFunction {
    private static final long MILESTONE_CENTS = 100_000;

    private transient ValueState<Long> revenue;
    private transient MapState<String, Long> basket;

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        revenue = context.getKeyedStateStore().getState(new ValueStateDescriptor<>("revenue", Types.LONG));
        basket = context.getKeyedStateStore().getMapState(new MapStateDescriptor<>("basket", Types.STRING, Types.LONG));
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) {
        // Keyed state is written by Flink.
    }

    @Override
    public void processElement(Order order, Context context, Collector<String> out) throws Exception {
        Long before = revenue.value();
        long after = (before == null ? 0 : before) + order.cents;
        revenue.update(after);
        Long bought = basket.get(order.product);
        basket.put(order.product, (bought == null ? 0 : bought) + order.quantity);
        if (before != null && before / MILESTONE_CENTS < after / MILESTONE_CENTS) {
            out.collect(order.customer + " has spent " + after / 100);
        }
    }
}
