package statejob;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.windowing.assigners.TumblingProcessingTimeWindows;

import java.time.Duration;

/**
 * A job for reading its snapshots: keyed state of every kind and serializer, operator, union and broadcast state, timers, windows, sources with
 * coordinators, an operator that has finished and one that has finished in part.
 *
 * <pre>
 * numbers (src) - slow - all (all) - ends (ends)       rules (rules-src), broadcast into ends
 *                   |--- window (window)
 * finished (finished-src) - through                    all subtasks end at once
 * partly (partly-src) - stays                          the first subtask ends at once
 * </pre>
 *
 * Arguments, {@code --key value}: {@code job-name}, {@code conf key=value} (any number of times), {@code parallelism}, {@code max-parallelism},
 * {@code keys}, {@code source-sleep-us} and {@code keyed-sleep-us} per record, {@code state-bytes} of random content per key.
 */
public final class StateJob {
    private StateJob() {}

    public static void main(String[] args) throws Exception {
        Configuration configuration = new Configuration();
        String name = "state job";
        int parallelism = 2;
        int maxParallelism = 8;
        long keys = 6;
        long sourceSleep = 1000;
        long keyedSleep = 0;
        int stateBytes = 100;
        for (int i = 0; i + 1 < args.length; i += 2) {
            String value = args[i + 1];
            switch (args[i]) {
                case "--conf": configuration.setString(value.substring(0, value.indexOf('=')), value.substring(value.indexOf('=') + 1)); break;
                case "--job-name": name = value; break;
                case "--parallelism": parallelism = Integer.parseInt(value); break;
                case "--max-parallelism": maxParallelism = Integer.parseInt(value); break;
                case "--keys": keys = Long.parseLong(value); break;
                case "--source-sleep-us": sourceSleep = Long.parseLong(value); break;
                case "--keyed-sleep-us": keyedSleep = Long.parseLong(value); break;
                case "--state-bytes": stateBytes = Integer.parseInt(value); break;
                case "--control": break;
                default: throw new IllegalArgumentException(args[i]);
            }
        }
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        environment.setParallelism(parallelism);
        environment.setMaxParallelism(maxParallelism);
        build(environment, keys, sourceSleep, keyedSleep, stateBytes);
        environment.execute(name);
    }

    private static void build(StreamExecutionEnvironment environment, long keys, long sourceSleep, long keyedSleep, int stateBytes) {
        SingleOutputStreamOperator<Long> numbers = environment
                .fromSource(new NumberSequenceSource(0, Long.MAX_VALUE / 2), WatermarkStrategy.noWatermarks(), "numbers").uid("src")
                .map(new Sleep(sourceSleep, sourceSleep)).returns(Types.LONG).name("slow").uid("slow");
        SingleOutputStreamOperator<Long> rules = environment
                .fromSource(new NumberSequenceSource(0, Long.MAX_VALUE / 2), WatermarkStrategy.noWatermarks(), "rules").setParallelism(1).uid("rules-src")
                .map(new Sleep(200_000, 200_000)).returns(Types.LONG).setParallelism(1).name("slow rules").uid("slow-rules");
        SingleOutputStreamOperator<Long> all = numbers.keyBy(number -> number % keys, Types.LONG).process(new AllStates(keyedSleep, stateBytes)).returns(Types.LONG).name("all").uid("all");
        all.connect(rules.broadcast(Ends.RULES)).process(new Ends()).returns(Types.LONG).name("ends").uid("ends");
        numbers.keyBy(number -> number % keys, Types.LONG).window(TumblingProcessingTimeWindows.of(Duration.ofDays(1)))
                .reduce((left, right) -> left + right).returns(Types.LONG).name("window").uid("window");

        environment.fromSource(new NumberSequenceSource(1, 10), WatermarkStrategy.noWatermarks(), "finished").uid("finished-src")
                .map(new Sleep(0, 0)).returns(Types.LONG).name("through").uid("through");
        environment.fromSource(new NumberSequenceSource(1, 20_000), WatermarkStrategy.noWatermarks(), "partly").uid("partly-src")
                .map(new Sleep(0, 200_000)).returns(Types.LONG).name("stays").uid("stays");
    }

    /** Waits for each number, the first subtask so long, the others otherwise. */
    static final class Sleep extends RichMapFunction<Long, Long> {
        private final long first;
        private final long others;

        Sleep(long first, long others) {
            this.first = first;
            this.others = others;
        }

        @Override
        public Long map(Long number) throws Exception {
            long micros = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0 ? first : others;
            if (micros > 0) {
                Thread.sleep(micros / 1000, (int) (micros % 1000) * 1000);
            }
            return number;
        }
    }
}
