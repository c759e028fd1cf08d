package paimonjob;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;

/**
 * Writes the numbers 1, 2, 3 … into two Paimon tables, {@code orders} with a primary key and {@code events} without one, so that every number that
 * is missing or there twice shows.
 *
 * <pre>
 *   --warehouse FOLDER   --database sales     where the tables are; made when they are not there
 *   --rows N             how many numbers, default a million; then the job ends
 *   --rate N             numbers a second, default 100
 *   --interval MS        between checkpoints, default 1000
 *   --name NAME          of the job, default orders
 *   --tables A,B         default orders,events
 *   --autoTag false      makes the tables without sink.savepoint.auto-tag
 * </pre>
 */
public final class PaimonJob {
    private PaimonJob() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int at = 0; at + 1 < args.length; at += 2) options.put(args[at].substring(2), args[at + 1]);
        String name = options.getOrDefault("name", "orders");
        long rows = Long.parseLong(options.getOrDefault("rows", "1000000"));
        double rate = Double.parseDouble(options.getOrDefault("rate", "100"));

        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", options.getOrDefault("interval", "1000") + " ms");
        configuration.setString("table.exec.sink.upsert-materialize", "NONE");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(1);
        StreamTableEnvironment tables = StreamTableEnvironment.create(env);
        tables.executeSql("CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = '" + options.get("warehouse") + "')");
        tables.executeSql("USE CATALOG paimon");
        String database = options.getOrDefault("database", "sales");
        tables.executeSql("CREATE DATABASE IF NOT EXISTS " + database);
        tables.executeSql("USE " + database);
        for (String table : options.getOrDefault("tables", "orders,events").split(",")) {
            boolean keyed = table.startsWith("orders");
            String key = keyed ? ", PRIMARY KEY (id) NOT ENFORCED" : "";
            tables.executeSql("CREATE TABLE IF NOT EXISTS " + table + " (id BIGINT, v STRING" + key + ") WITH ('bucket' = '" + (keyed ? "1" : "-1") + "', 'write-buffer-size' = '4 mb', 'page-size' = '32 kb',"
                    + " 'sink.savepoint.auto-tag' = '" + options.getOrDefault("autoTag", "true") + "', 'sink.operator-uid.suffix' = '" + name + "')");
        }

        GeneratorFunction<Long, Row> numbered = index -> Row.of(index + 1, "v" + (index + 1) % 7);
        TypeInformation<Row> type = Types.ROW_NAMED(new String[] {"id", "v"}, Types.LONG, Types.STRING);
        DataStream<Row> source = env.fromSource(new DataGeneratorSource<>(numbered, rows, RateLimiterStrategy.perSecond(rate), type), WatermarkStrategy.noWatermarks(), "numbers").uid("numbers");
        tables.createTemporaryView("numbers", tables.fromDataStream(source));
        StreamStatementSet inserts = tables.createStatementSet();
        for (String table : options.getOrDefault("tables", "orders,events").split(",")) inserts.addInsertSql("INSERT INTO " + table + " SELECT id, v FROM numbers");
        inserts.attachAsDataStream();
        env.execute(name);
    }
}
