import type { Kind } from "./values";

/** What a declared type says of a value (`org.apache.flink.streaming.api.datastream`, `…scala`, `…environment`, `cep`, `datastream.api`). */
export const kindOfType: Readonly<Record<string, Kind>> = {
  StreamExecutionEnvironment: "env", LocalStreamEnvironment: "env", RemoteStreamEnvironment: "env",
  DataStream: "stream", SideOutputDataStream: "stream", IterativeStream: "stream", SplitStream: "stream", CachedDataStream: "stream",
  SingleOutputStreamOperator: "op", DataStreamSource: "op", OutputTag: "other",
  KeyedStream: "keyed", WindowedStream: "windowed", AllWindowedStream: "windowed", ConnectedStreams: "connected", BroadcastConnectedStream: "connected",
  BroadcastStream: "broadcast", DataStreamSink: "sink", JoinedStreams: "joined", CoGroupedStreams: "joined", PatternStream: "pattern",
  PartitionWindowedStream: "partitions", KeyedPartitionWindowedStream: "partitions",
  StreamTableEnvironment: "table", TableEnvironment: "table", Table: "table", TableResult: "table", StreamStatementSet: "table",
  DataSet: "other", DataSource: "other", MapOperator: "other", ExecutionEnvironment: "other", BatchTableEnvironment: "table",
  NonKeyedPartitionStream: "stream2", GlobalStream: "stream2", KeyedPartitionStream: "keyed2", ProcessConfigurableAndNonKeyedPartitionStream: "op", TwoKeyedPartitionStreams: "connected2",
};

/** Calls that set or change something of the operator at hand and return it. */
export const configuration: ReadonlySet<string> = new Set([
  "name", "setParallelism", "setMaxParallelism", "returns", "disableChaining", "startNewChain", "slotSharingGroup", "setDescription", "setBufferTimeout", "forceNonParallel",
  "addMetricVariable", "enableAsyncState", "setResources", "withName", "withParallelism", "withMaxParallelism", "withSlotSharingGroup", "withDescription", "setUidHash", "uid", "setUid", "withUid", "uidHash",
]);
/** On an operator, and set its uid or its uid hash. */
export const uidCalls: ReadonlySet<string> = new Set(["uid", "setUid", "withUid", "setUidHash"]);

/** On a stream, and return a stream that is no operator. */
export const rewiring: ReadonlySet<string> = new Set(["union", "rebalance", "rescale", "shuffle", "forward", "global", "partitionCustom", "split", "select", "getSideOutput", "iterate", "closeWith", "cache"]);
/** On a stream, and make an operator without state. */
export const stateless: ReadonlySet<string> = new Set(["assignTimestampsAndWatermarks", "assignAscendingTimestamps", "assignTimestamps", "project"]);
/** On a stream, and make a sink without state. */
export const statelessSinks: ReadonlySet<string> = new Set(["print", "printToErr", "writeAsText", "writeAsCsv", "writeToSocket", "writeUsingOutputFormat"]);
/** On a keyed stream, kept in a ValueState; those of the end are of Scala's extensions, as others below. */
export const rolling: ReadonlySet<string> = new Set(["reduce", "sum", "min", "max", "minBy", "maxBy", "fold", "reduceWith", "foldWith"]);
/** On a keyed stream of Scala, and keep a value of the function's type for each key. */
export const withState: ReadonlySet<string> = new Set(["mapWithState", "flatMapWithState", "filterWithState"]);
/** On a stream, and make windows, which are no operator yet. */
export const windowing: ReadonlySet<string> = new Set(["window", "timeWindow", "countWindow", "windowAll", "timeWindowAll", "countWindowAll"]);
/** On windows, and return them. */
export const windowSettings: ReadonlySet<string> = new Set(["trigger", "evictor", "allowedLateness", "sideOutputLateData"]);
/** On windows, and make the operator that holds their contents and timers. */
export const windowOperators: ReadonlySet<string> = new Set(["reduce", "aggregate", "process", "apply", "sum", "min", "max", "minBy", "maxBy", "fold", "reduceWith", "foldWith", "applyWith"]);
/** Between `join` or `coGroup` and the call that makes the operator. */
export const joinStages: ReadonlySet<string> = new Set(["where", "equalTo", "window", "trigger", "evictor", "allowedLateness", "whereClause", "isEqualTo"]);
/** Between `intervalJoin` and `process`. */
export const intervalStages: ReadonlySet<string> = new Set(["between", "lowerBoundExclusive", "upperBoundExclusive", "inEventTime", "inProcessingTime", "sideOutputLeftLateData", "sideOutputRightLateData"]);
/** On a `PatternStream`, and return it. */
export const patternSettings: ReadonlySet<string> = new Set(["inEventTime", "inProcessingTime", "sideOutputLateData"]);
/** On a `PatternStream`, and make the operator that holds partial matches. */
export const patternOperators: ReadonlySet<string> = new Set(["process", "select", "flatSelect"]);
/** On an environment, and return it. */
export const envSettings: ReadonlySet<string> = new Set([
  "setParallelism", "setMaxParallelism", "setRuntimeMode", "setBufferTimeout", "enableCheckpointing", "disableOperatorChaining", "setStateBackend", "setDefaultSavepointDirectory", "enableChangelogStateBackend",
]);
/** On an environment, held in memory: an operator with state that nobody needs back. */
export const memorySources: ReadonlySet<string> = new Set(["fromSequence", "generateSequence", "fromData", "fromElements", "fromCollection"]);
/** On an environment, and make a source without state. */
export const statelessSources: ReadonlySet<string> = new Set(["fromParallelCollection", "socketTextStream", "createInput"]);
/** On an environment, and make two operators that keep state, of which a uid reaches only the reader. */
export const fileSources: ReadonlySet<string> = new Set(["readTextFile", "readFile", "readFileStream"]);
/** On `AsyncDataStream`, and make an operator that keeps the elements whose answers are awaited. */
export const asyncWaits: ReadonlySet<string> = new Set(["orderedWait", "unorderedWait", "orderedWaitWithRetry", "unorderedWaitWithRetry"]);
/** On a stream, and tell something of it. */
export const looks: ReadonlySet<string> = new Set([
  "getType", "dataType", "getExecutionEnvironment", "executionEnvironment", "getExecutionConfig", "executionConfig", "getId", "getParallelism", "parallelism", "getName", "getMinResources", "getPreferredResources",
  "hashCode", "toString", "equals", "getKeyType", "keyType", "getKeySelector", "clean", "executeAndCollect", "collectAsync", "javaStream",
]);
/** Classes whose uses are known not to set a uid on the streams they get. */
export const flinkPackages = /^(?:org\.apache\.(?:flink|flinkx|iceberg|paimon|hudi|hbase|seatunnel|kafka)|com\.(?:ververica|alibaba\.ververica)|org\.apache\.flink\.cdc)\b/;

/** Sinks for `sinkTo` by class: with state, or known to be without. */
export const statefulSinks: ReadonlySet<string> = new Set([
  "KafkaSink", "FileSink", "KinesisStreamsSink", "KinesisFirehoseSink", "DynamoDbSink", "SqsSink", "PrometheusSink", "PulsarSink", "IcebergSink", "JdbcSink", "DorisSink", "AsyncSinkBase",
  "PaimonSink", "HybridSink", "HttpSink", "Elasticsearch8AsyncSink", "DynamicIcebergSink", "ClickHouseAsyncSink", "TimestreamSink", "CloudWatchMetricSink", "CloudWatchLogsSink", "BigQuerySink", "ElasticsearchAsyncSink", "OpensearchAsyncSink", "DeltaSink",
]);
/** Sinks for `sinkTo` that are known to keep none. */
export const statelessSinkClasses: ReadonlySet<string> = new Set(["PrintSink", "DiscardingSink", "ElasticsearchSink", "Elasticsearch7Sink", "Elasticsearch6Sink", "Elasticsearch8Sink", "OpensearchSink", "MongoSink", "RabbitMQSink", "CollectSink"]);
/** Functions for `addSink` and `addSource` by class. */
export const statefulFunctions: ReadonlySet<string> = new Set([
  "FlinkKafkaConsumer", "FlinkKafkaConsumer081", "FlinkKafkaConsumer082", "FlinkKafkaConsumer08", "FlinkKafkaConsumer09", "FlinkKafkaConsumer010", "FlinkKafkaConsumer011", "FlinkKafkaConsumerBase", "FlinkKafkaShuffleConsumer", "FlinkKinesisConsumer", "FlinkDynamoDBStreamsConsumer", "RMQSource", "PubSubSource",
  "DataGeneratorSource", "StatefulSequenceSource", "FlinkPulsarSource", "DebeziumSourceFunction", "MessageAcknowledgingSourceBase", "MultipleIdsMessageAcknowledgingSourceBase", "RocketMQSourceFunction", "RocketMQSource", "AMQSource", "FlinkLogConsumer",
  "FlinkKafkaProducer", "FlinkKafkaProducer011", "FlinkPulsarSink", "FlinkPravegaWriter", "StreamingFileSink", "BucketingSink", "RollingSink", "TwoPhaseCommitSinkFunction", "GenericWriteAheadSink", "JdbcXaSinkFunction", "FromElementsFunction",
]);
/** They implement CheckpointedFunction only to flush, or keep nothing at all. */
export const statelessFunctions: ReadonlySet<string> = new Set([
  "JdbcSink", "JDBCAppendTableSink", "ElasticsearchSink", "Elasticsearch5Sink", "RedisSink", "FlinkKinesisProducer", "FlinkKinesisFirehoseProducer", "FlinkKafkaProducer08", "FlinkKafkaProducer09", "FlinkKafkaProducer010",
  "CassandraSink", "HBaseSinkFunction", "PubSubSink", "RMQSink", "PrintSinkFunction", "DiscardingSink", "SocketClientSink", "TwitterSource", "SocketTextStreamFunction", "InfluxDBSink", "FlinkSink", "OutputFormatSinkFunction", "InputFormatSourceFunction", "NifiSource", "CollectSink", "SplunkSink", "WriteSinkFunction", "ClickHouseSink",
]);
/** Builders whose result goes to `addSource`, with state: the first generation of Flink CDC. */
export const statefulSourceBuilders: ReadonlySet<string> = new Set(["MySqlSource", "MySQLSource", "PostgreSQLSource", "PostgresSource", "OracleSource", "SqlServerSource", "MongoDBSource", "TiDBSource", "Db2Source"]);

/** Classes of connectors that are known either way. */
export const connectors: ReadonlySet<string> = new Set([...statefulSinks, ...statelessSinkClasses, ...statefulFunctions, ...statelessFunctions, ...statefulSourceBuilders]);

/** Interfaces and bases that prove operator state. */
export const checkpointed: ReadonlySet<string> = new Set(["CheckpointedFunction", "ListCheckpointed", "Checkpointed", "CheckpointedAsynchronously", "CheckpointedRestoring"]);
/** Classes that keep operator state whatever extends them. */
export const alwaysStateful: ReadonlySet<string> = new Set([
  "TwoPhaseCommitSinkFunction", "MessageAcknowledgingSourceBase", "MultipleIdsMessageAcknowledgingSourceBase", "FlinkKafkaConsumer", "FlinkKafkaConsumerBase", "FlinkKafkaConsumer010", "FlinkKafkaConsumer011", "FlinkKafkaProducer", "FlinkKafkaProducer011",
  "FlinkKinesisConsumer", "GenericWriteAheadSink", "StreamingFileSink", "RMQSource", "AMQSource", "FlinkLogConsumer",
]);
/** Interfaces and bases of sinks whose writer or committer keeps state. */
export const statefulSinkInterfaces: ReadonlySet<string> = new Set(["SupportsWriterState", "SupportsCommitter", "StatefulSink", "TwoPhaseCommittingSink", "TwoPhaseCommittingStatefulSink", "AsyncSinkBase", "WithCompatibleState"]);
/** Functions that only a keyed stream takes: they have keyed timers, so their operator always has keyed state. */
export const keyedFunctions: ReadonlySet<string> = new Set(["KeyedProcessFunction", "KeyedCoProcessFunction", "KeyedBroadcastProcessFunction"]);

/** Functions that only windows take. */
export const windowFunctions: ReadonlySet<string> = new Set(["ProcessWindowFunction", "ProcessAllWindowFunction", "WindowFunction", "AllWindowFunction", "RichWindowFunction", "RichAllWindowFunction"]);

/** Calls whose result differs from run to run, by the class or the name before them. */
export const varying = /^(?:UUID\.(?:randomUUID|random)|(?:Generators|Uuid)\.\w*random\w*|System\.(?:currentTimeMillis|nanoTime|identityHashCode)|Math\.random|(?:Instant|LocalDateTime|LocalDate|LocalTime|ZonedDateTime|OffsetDateTime|Clock)\.now|RandomStringUtils\.\w+|ThreadLocalRandom\.\w+|Random\.\w+|Clock\.System)$/;
/** Classes whose objects differ from run to run as texts. */
export const varyingTypes: ReadonlySet<string> = new Set(["Random", "Date", "SecureRandom", "ULID"]);
