package testjob;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A job with every kind of state, whose misbehaviour is steered from outside. Only classes that are alike from Flink 1.15 to 2.3 are used.
 *
 * <pre>
 * numbers (src) - throttle - keyed - union - sink
 *                     |----- window
 * control (control-src) - control-throttle - broadcast into bcast, which also reads throttle
 * </pre>
 *
 * Arguments, {@code --key value}:
 * <ul>
 *   <li>{@code job-name}, {@code parallelism}, {@code max-parallelism}, {@code keyed-max-parallelism};
 *   <li>{@code checkpoint-interval} (none: no periodic checkpoints), {@code retention}, {@code restart}, {@code restart-attempts},
 *       {@code restart-delay}, {@code conf key=value} (any number of times);
 *   <li>{@code sleep-us} pause per record, {@code count} and {@code control-count} where the sources end, {@code keys};
 *   <li>{@code state-bytes} per key (four entries each), {@code state-type} long, string or pojo;
 *   <li>{@code uids}, {@code keyed-uid}, {@code keyed-uid-hash}, {@code uid-prefix}, {@code name-prefix}, {@code extra-map},
 *       {@code no-chain}, {@code window}, {@code broadcast}: the shape of the graph and its operator ids;
 *   <li>{@code out} folder for exactly-once output, {@code control} folder with control files, see {@link Controls};
 *   <li>{@code no-execute}: return without running anything; {@code main-sleep-ms}: take this long before running.
 * </ul>
 */
public final class TestJob {

    private TestJob() {}

    public static void main(String[] args) throws Exception {
        Arguments arguments = new Arguments(args);
        Thread.sleep(arguments.number("main-sleep-ms", 0));
        StreamExecutionEnvironment environment = environment(arguments);
        build(environment, arguments);
        if (!arguments.flag("no-execute", false)) {
            environment.execute(arguments.text("job-name", "test job"));
        }
    }

    private static StreamExecutionEnvironment environment(Arguments arguments) {
        Configuration configuration = new Configuration();
        if (arguments.has("checkpoint-interval")) {
            configuration.setString("execution.checkpointing.interval", arguments.text("checkpoint-interval", ""));
        }
        configuration.setString("execution.checkpointing.externalized-checkpoint-retention", arguments.text("retention", "RETAIN_ON_CANCELLATION"));
        // From 1.19 on the key is restart-strategy.type; the old one is still read.
        configuration.setString("restart-strategy", arguments.text("restart", "fixed-delay"));
        configuration.setString("restart-strategy.fixed-delay.attempts", arguments.text("restart-attempts", "1000"));
        configuration.setString("restart-strategy.fixed-delay.delay", arguments.text("restart-delay", "2 s"));
        for (String pair : arguments.all("conf")) {
            int at = pair.indexOf('=');
            configuration.setString(pair.substring(0, at), pair.substring(at + 1));
        }
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        if (arguments.has("parallelism")) {
            environment.setParallelism((int) arguments.number("parallelism", 1));
        }
        if (arguments.has("max-parallelism")) {
            environment.setMaxParallelism((int) arguments.number("max-parallelism", 128));
        }
        if (arguments.flag("no-chain", false)) {
            environment.disableOperatorChaining();
        }
        return environment;
    }

    private static void build(StreamExecutionEnvironment environment, Arguments arguments) {
        Controls controls = new Controls(arguments.text("control", ""));
        long end = arguments.number("count", Long.MAX_VALUE / 2);
        long keys = arguments.number("keys", 100);

        SingleOutputStreamOperator<Long> source =
                environment.fromSource(new NumberSequenceSource(0, end), WatermarkStrategy.noWatermarks(), name(arguments, "numbers"));
        uid(source, arguments, "src");

        SingleOutputStreamOperator<Long> throttled = source.map(new Throttle(arguments.number("sleep-us", 2000), controls)).returns(Types.LONG);
        throttled.name(name(arguments, "throttle"));
        uid(throttled, arguments, "throttle");

        DataStream<Long> numbers = throttled;
        if (arguments.flag("extra-map", false)) {
            // Never has a uid: shifts the generated operator ids after it.
            numbers = throttled.map(new Identity()).returns(Types.LONG).name(name(arguments, "extra"));
        }

        SingleOutputStreamOperator<Tuple2<Long, Long>> keyed = numbers.keyBy(number -> number % keys, Types.LONG)
                .process(new KeyedCount(arguments.text("state-type", "long"), (int) arguments.number("state-bytes", 100), controls))
                .returns(Types.TUPLE(Types.LONG, Types.LONG))
                .name(name(arguments, "keyed"));
        if (arguments.flag("keyed-uid", true)) {
            uid(keyed, arguments, "keyed");
        }
        if (arguments.has("keyed-uid-hash")) {
            keyed.setUidHash(arguments.text("keyed-uid-hash", ""));
        }
        if (arguments.has("keyed-max-parallelism")) {
            keyed.setMaxParallelism((int) arguments.number("keyed-max-parallelism", 128));
        }

        SingleOutputStreamOperator<Tuple2<Long, Long>> union =
                keyed.process(new UnionCount()).returns(Types.TUPLE(Types.LONG, Types.LONG)).name(name(arguments, "union"));
        uid(union, arguments, "union");

        SingleOutputStreamOperator<Void> sink =
                union.process(new TransactionalFiles(arguments.text("out", ""), controls)).returns(Types.VOID).name(name(arguments, "sink"));
        uid(sink, arguments, "sink");

        if (arguments.flag("window", true)) {
            SingleOutputStreamOperator<Long> window = numbers.keyBy(number -> number % keys, Types.LONG).countWindow(50)
                    .reduce((left, right) -> left + right).returns(Types.LONG).name(name(arguments, "window"));
            uid(window, arguments, "window");
        }
        if (arguments.flag("broadcast", true)) {
            // One task, which can end by control-count while the job runs on.
            SingleOutputStreamOperator<Long> rules = environment
                    .fromSource(new NumberSequenceSource(0, arguments.number("control-count", Long.MAX_VALUE / 2)), WatermarkStrategy.noWatermarks(), name(arguments, "control"))
                    .setParallelism(1).uid("control-src")
                    .map(new Throttle(200_000, new Controls(""))).returns(Types.LONG)
                    .setParallelism(1).name(name(arguments, "control-throttle")).uid("control-throttle");
            SingleOutputStreamOperator<Long> broadcast = numbers.connect(rules.broadcast(BroadcastRules.RULES))
                    .process(new BroadcastRules()).returns(Types.LONG).name(name(arguments, "broadcast"));
            uid(broadcast, arguments, "bcast");
        }
    }

    private static String name(Arguments arguments, String name) {
        return arguments.text("name-prefix", "") + name;
    }

    private static void uid(SingleOutputStreamOperator<?> operator, Arguments arguments, String uid) {
        if (arguments.flag("uids", true)) {
            operator.uid(arguments.text("uid-prefix", "") + uid);
        }
    }

    static final class Identity implements MapFunction<Long, Long> {
        @Override
        public Long map(Long number) {
            return number;
        }
    }
}
