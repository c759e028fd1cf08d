package statejob;

import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.state.AggregatingState;
import org.apache.flink.api.common.state.AggregatingStateDescriptor;
import org.apache.flink.api.common.state.KeyedStateStore;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ReducingState;
import org.apache.flink.api.common.state.ReducingStateDescriptor;
import org.apache.flink.api.common.state.StateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.formats.avro.typeutils.GenericRecordAvroTypeInfo;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Either;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Keyed state of every kind. Each key has one entry in each value, list, reducing and aggregating state, three pairs in each map, an event-time
 * and a processing-time timer that are never due.
 */
final class AllStates extends KeyedProcessFunction<Long, Long, Long> implements CheckpointedFunction {
    private static final String SCHEMA = "{\"type\": \"record\", \"name\": \"Event\", \"namespace\": \"statejob\", \"fields\": [{\"name\": \"id\", \"type\": \"long\"},"
            + " {\"name\": \"note\", \"type\": [\"null\", \"string\"]}, {\"name\": \"marks\", \"type\": {\"type\": \"array\", \"items\": \"int\"}}]}";

    private final long sleepMicros;
    private final int stateBytes;
    private transient Schema schema;
    private transient List<Values<?>> values;
    private transient List<ListState<String>> lists;
    private transient List<MapState<String, Long>> maps;
    private transient ReducingState<Long> sum;
    private transient AggregatingState<Long, Long> mean;

    AllStates(long sleepMicros, int stateBytes) {
        this.sleepMicros = sleepMicros;
        this.stateBytes = stateBytes;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        KeyedStateStore store = context.getKeyedStateStore();
        schema = new Schema.Parser().parse(SCHEMA);
        values = new ArrayList<>();
        lists = new ArrayList<>();
        maps = new ArrayList<>();
        for (Map.Entry<String, TypeInformation<?>> entry : types(schema).entrySet()) {
            values.add(new Values<>(store, entry.getKey(), entry.getValue()));
        }
        for (boolean ttl : new boolean[] {false, true}) {
            String suffix = ttl ? "-ttl" : "";
            lists.add(store.getListState(with(ttl, new ListStateDescriptor<>("list" + suffix, Types.STRING))));
            maps.add(store.getMapState(with(ttl, new MapStateDescriptor<>("map" + suffix, Types.STRING, Types.LONG))));
        }
        values.add(new Values<>(store, "string-ttl", Types.STRING, true));
        sum = store.getReducingState(new ReducingStateDescriptor<>("sum", (left, right) -> left + right, Types.LONG));
        mean = store.getAggregatingState(new AggregatingStateDescriptor<>("mean", new Mean(), Types.TUPLE(Types.LONG, Types.LONG)));
    }

    private static Map<String, TypeInformation<?>> types(Schema schema) {
        Map<String, TypeInformation<?>> types = new LinkedHashMap<>();
        types.put("long", Types.LONG);
        types.put("boolean", Types.BOOLEAN);
        types.put("short", Types.SHORT);
        types.put("double", Types.DOUBLE);
        types.put("char", Types.CHAR);
        types.put("string", Types.STRING);
        types.put("bytes", Types.PRIMITIVE_ARRAY(Types.BYTE));
        types.put("ints", Types.PRIMITIVE_ARRAY(Types.INT));
        types.put("strings", Types.OBJECT_ARRAY(Types.STRING));
        types.put("big-decimal", Types.BIG_DEC);
        types.put("big-integer", Types.BIG_INT);
        types.put("instant", Types.INSTANT);
        types.put("date", Types.LOCAL_DATE);
        types.put("time", Types.LOCAL_TIME);
        types.put("date-time", Types.LOCAL_DATE_TIME);
        types.put("timestamp", Types.SQL_TIMESTAMP);
        types.put("tuple", Types.TUPLE(Types.LONG, Types.STRING, Types.FLOAT));
        types.put("row", Types.ROW_NAMED(new String[] {"id", "name"}, Types.LONG, Types.STRING));
        types.put("either", Types.EITHER(Types.STRING, Types.LONG));
        types.put("enum", Types.ENUM(Order.Size.class));
        types.put("list-value", Types.LIST(Types.STRING));
        types.put("map-value", Types.MAP(Types.STRING, Types.LIST(Types.LONG)));
        types.put("pojo", Types.POJO(Order.class));
        types.put("avro", new GenericRecordAvroTypeInfo(schema));
        types.put("kryo", Types.GENERIC(Order.Opaque.class));
        return types;
    }

    private Object value(String name, long key) {
        switch (name) {
            case "long": return key;
            case "boolean": return key % 2 == 0;
            case "short": return (short) key;
            case "double": return key / 2.0;
            case "char": return (char) ('a' + key);
            case "string": case "string-ttl": return "é中😀 " + key;
            case "bytes": {
                byte[] bytes = new byte[stateBytes];
                new Random().nextBytes(bytes);
                return bytes;
            }
            case "ints": return new int[] {1, 2, (int) key};
            case "strings": return new String[] {"a", "b"};
            case "big-decimal": return new BigDecimal("12345678901234567890." + key);
            case "big-integer": return BigInteger.valueOf(key).pow(20);
            case "instant": return Instant.ofEpochSecond(key);
            case "date": return LocalDate.ofEpochDay(key);
            case "time": return LocalTime.ofSecondOfDay(key);
            case "date-time": return LocalDateTime.of(2024, 2, 29, 12, 0);
            case "timestamp": return new Timestamp(key);
            case "tuple": return Tuple3.of(key, "t", 1.5f);
            case "row": return Row.of(key, key % 2 == 0 ? null : "odd");
            case "either": return key % 2 == 0 ? Either.Left("even") : Either.Right(key);
            case "enum": return Order.Size.LARGE;
            case "list-value": return new ArrayList<>(List.of("x", "y"));
            case "map-value": return Map.of("k", new ArrayList<>(List.of(key)));
            case "pojo": return key % 2 == 0 ? new Order(key) : new Order.Express(key);
            case "avro": {
                GenericRecord record = new GenericData.Record(schema);
                record.put("id", key);
                record.put("note", key % 2 == 0 ? null : "odd");
                record.put("marks", List.of(1, 2));
                return record;
            }
            case "kryo": return new Order.Opaque(key);
            default: throw new IllegalArgumentException(name);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) {}

    @Override
    public void processElement(Long number, Context context, Collector<Long> out) throws Exception {
        if (sleepMicros > 0) {
            Thread.sleep(sleepMicros / 1000, (int) (sleepMicros % 1000) * 1000);
        }
        long key = context.getCurrentKey();
        for (Values<?> state : values) {
            state.update(value(state.name, key));
        }
        for (ListState<String> list : lists) {
            list.update(List.of("one", "two", "three"));
        }
        for (MapState<String, Long> map : maps) {
            for (int i = 0; i < 3; i++) {
                map.put("pair " + i, number);
            }
        }
        sum.add(1L);
        mean.add(number);
        context.timerService().registerEventTimeTimer(Long.MAX_VALUE - 1);
        context.timerService().registerProcessingTimeTimer(Long.MAX_VALUE - 1);
        out.collect(number);
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<Long> out) {}

    private static <D extends StateDescriptor<?, ?>> D with(boolean ttl, D descriptor) {
        if (ttl) {
            descriptor.enableTimeToLive(StateTtlConfig.newBuilder(Duration.ofDays(30)).build());
        }
        return descriptor;
    }

    /** A value state and its name. */
    private static final class Values<T> {
        final String name;
        private final ValueState<T> state;

        Values(KeyedStateStore store, String name, TypeInformation<T> type) {
            this(store, name, type, false);
        }

        Values(KeyedStateStore store, String name, TypeInformation<T> type, boolean ttl) {
            this.name = name;
            state = store.getState(with(ttl, new ValueStateDescriptor<>(name, type)));
        }

        @SuppressWarnings("unchecked")
        void update(Object value) throws Exception {
            state.update((T) value);
        }
    }

    private static final class Mean implements AggregateFunction<Long, Tuple2<Long, Long>, Long> {
        @Override
        public Tuple2<Long, Long> createAccumulator() {
            return Tuple2.of(0L, 0L);
        }

        @Override
        public Tuple2<Long, Long> add(Long number, Tuple2<Long, Long> before) {
            return Tuple2.of(before.f0 + number, before.f1 + 1);
        }

        @Override
        public Long getResult(Tuple2<Long, Long> accumulator) {
            return accumulator.f0 / Math.max(1, accumulator.f1);
        }

        @Override
        public Tuple2<Long, Long> merge(Tuple2<Long, Long> left, Tuple2<Long, Long> right) {
            return Tuple2.of(left.f0 + right.f0, left.f1 + right.f1);
        }
    }
}
