package keepstate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * A job without uids, which the lint's quick fixes change. It appends {@code key count number} per number to the file {@code --out}: counts
 * and numbers go on without gaps or repetitions as long as it is stopped with savepoints and finds all of its state again.
 */
public final class CountingJob {
    private CountingJob() {}

    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(1);
        environment.fromSource(new NumberSequenceSource(0, Long.MAX_VALUE / 2), WatermarkStrategy.noWatermarks(), "Numbers")
                .map(new Slowly())
                .keyBy(number -> number % 10)
                .process(new CountPerKey())
                .map(new Append(args[Arrays.asList(args).indexOf("--out") + 1]));
        environment.execute("counting");
    }

    static final class Slowly implements MapFunction<Long, Long> {
        private static final long serialVersionUID = 1;

        @Override
        public Long map(Long number) throws InterruptedException {
            Thread.sleep(2);
            return number;
        }
    }

    /** Keeps a count per key, and each number it has seen. */
    static final class CountPerKey extends KeyedProcessFunction<Long, Long, String> {
        private static final long serialVersionUID = 1;

        @Override
        public void processElement(Long number, Context context, Collector<String> out) throws Exception {
            ValueState<Long> count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Long.class));
            MapState<Long, Long> seen = getRuntimeContext().getMapState(new MapStateDescriptor<>("seen", Long.class, Long.class));
            count.update(count.value() == null ? 1 : count.value() + 1);
            seen.put(number, count.value());
            out.collect(context.getCurrentKey() + " " + count.value() + " " + number);
        }
    }

    static final class Append implements MapFunction<String, String> {
        private static final long serialVersionUID = 1;

        private final String file;

        Append(String file) {
            this.file = file;
        }

        @Override
        public String map(String line) throws IOException {
            Files.write(Paths.get(file), (line + "\n").getBytes(StandardCharsets.UTF_8), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            return line;
        }
    }
}
