package orders;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

import java.util.HashMap;
import java.util.Map;

/**
 * A shop: orders come in, and each customer's revenue and basket are kept. When a customer's revenue passes another thousand, a line is
 * printed to the TaskManager's standard output.
 *
 * <p>Every operator has a {@code uid}, so that its state is found again in a savepoint whatever else changes in the program. Only classes
 * that are alike from Flink 1.15 to 2.3 are used, so one jar runs on all of them.
 *
 * <p>Arguments, all optional: {@code --name}, {@code --checkpoint-interval}, {@code --orders-per-second}, {@code --customers},
 * {@code --parallelism}.
 */
public final class OrdersJob {

    private OrdersJob() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> arguments = parse(args);
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", arguments.getOrDefault("checkpoint-interval", "10 s"));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        environment.setParallelism(Integer.parseInt(arguments.getOrDefault("parallelism", "2")));
        environment.setMaxParallelism(128);

        int ordersPerSecond = Integer.parseInt(arguments.getOrDefault("orders-per-second", "200"));
        int customers = Integer.parseInt(arguments.getOrDefault("customers", "500"));

        environment
                .fromSource(new NumberSequenceSource(1, Long.MAX_VALUE / 2), WatermarkStrategy.noWatermarks(), "Order numbers")
                .setParallelism(1)
                .uid("order-numbers")
                .map(new OrderGenerator(ordersPerSecond, customers))
                .returns(Types.POJO(Order.class))
                .setParallelism(1)
                .name("Orders")
                .uid("orders")
                .keyBy(order -> order.customer, Types.STRING)
                .process(new CustomerTotals())
                .returns(Types.STRING)
                .name("Totals per customer")
                .uid("customer-totals")
                .print()
                .name("Milestones")
                .uid("milestones");

        environment.execute(arguments.getOrDefault("name", "Orders"));
    }

    private static Map<String, String> parse(String[] args) {
        Map<String, String> arguments = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!args[i].startsWith("--") || i + 1 == args.length) {
                throw new IllegalArgumentException("Arguments come in pairs, --key value; found " + args[i]);
            }
            arguments.put(args[i].substring(2), args[i + 1]);
        }
        return arguments;
    }
}
