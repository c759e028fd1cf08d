package org.apache.flink.streaming.api.environment;

import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.Function;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStreamSource;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.AbstractUdfStreamOperator;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;

/**
 * Builds the graph of a job without running it and prints, for each operator whose line in the job's code is known, a line
 * {@code <file>:<line> <stateful|stateless> <uid or ->}. Arguments: the job's class, then the job's own.
 */
public final class UidAudit {
  private static final Map<Integer, String> PLACES = new HashMap<>();

  public static void main(String[] args) throws Exception {
    StreamGraph[] graph = new StreamGraph[1];
    StreamExecutionEnvironment.initializeContextEnvironment(configuration -> new SourceRecording(graph));
    String[] rest = java.util.Arrays.copyOfRange(args, 1, args.length);
    try {
      Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
    } catch (InvocationTargetException e) {
      Throwable cause = e;
      while (cause != null && !(cause instanceof Captured)) {
        cause = cause.getCause();
      }
      if (cause == null) {
        throw e;
      }
    }
    for (StreamNode node : graph[0].getStreamNodes()) {
      String place = PLACES.get(node.getId());
      if (place != null) {
        System.out.println(place + " " + (isStateful(node) ? "stateful" : "stateless") + " " + (node.getTransformationUID() == null ? "-" : node.getTransformationUID()));
      }
    }
  }

  private static boolean isStateful(StreamNode node) throws Exception {
    StreamOperatorFactory<?> factory = node.getOperatorFactory();
    String name = factory.getClass().getSimpleName();
    if (name.matches("SourceOperatorFactory|AsyncWaitOperatorFactory|CommitterOperatorFactory|ContinuousFileReaderOperatorFactory|WindowOperatorFactory")) {
      return true;
    }
    if (!(factory instanceof SimpleOperatorFactory)) {
      return false;
    }
    StreamOperator<?> operator = ((SimpleOperatorFactory<?>) factory).getOperator();
    String type = operator.getClass().getSimpleName();
    if (type.matches(".*WindowOperator|.*KeyedProcessOperator|KeyedCoProcessOperator|StreamGroupedReduce.*|IntervalJoinOperator|CoBroadcast.*|CepOperator")) {
      return true;
    }
    if (!(operator instanceof AbstractUdfStreamOperator)) {
      return false;
    }
    Function function = ((AbstractUdfStreamOperator<?, ?>) operator).getUserFunction();
    if (function instanceof CheckpointedFunction) {
      return mentions(function.getClass(), "OperatorStateStore");
    }
    return node.getStatePartitioners() != null && node.getStatePartitioners().length > 0 && mentions(function.getClass(), "StateDescriptor");
  }

  /** Whether the compiled class, or one above it, names a type: what it never names it can't ask for. */
  private static boolean mentions(Class<?> type, String word) throws Exception {
    for (Class<?> at = type; at != null && !at.getName().startsWith("org.apache.flink.") && at != Object.class; at = at.getSuperclass()) {
      try (InputStream in = at.getResourceAsStream("/" + at.getName().replace('.', '/') + ".class")) {
        if (in != null && new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).contains(word)) {
          return true;
        }
      }
    }
    return false;
  }

  static void record(Transformation<?> transformation) {
    StackWalker.getInstance()
        .walk(frames -> frames.filter(frame -> !frame.getClassName().startsWith("org.apache.flink.") && !frame.getClassName().startsWith("java.")).findFirst())
        .ifPresent(frame -> PLACES.putIfAbsent(transformation.getId(), frame.getFileName() + ":" + frame.getLineNumber()));
  }

  private static final class Captured extends RuntimeException {}

  static class Recording extends StreamExecutionEnvironment {
    private final StreamGraph[] graph;

    Recording(StreamGraph[] graph) {
      super(new Configuration());
      this.graph = graph;
    }

    @Override
    public void addOperator(Transformation<?> transformation) {
      record(transformation);
      super.addOperator(transformation);
    }

    @Override
    public <OUT> DataStreamSource<OUT> fromSource(Source<OUT, ?, ?> source, WatermarkStrategy<OUT> strategy, String name) {
      DataStreamSource<OUT> stream = super.fromSource(source, strategy, name);
      record(stream.getTransformation());
      return stream;
    }

    @Override
    public JobClient executeAsync(StreamGraph streamGraph) {
      graph[0] = streamGraph;
      throw new Captured();
    }
  }
}
