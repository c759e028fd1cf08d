package org.apache.flink.streaming.api.environment;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStreamSource;
import org.apache.flink.streaming.api.functions.source.legacy.SourceFunction;
import org.apache.flink.streaming.api.graph.StreamGraph;

/** Notes sources of the old kind too, whose class Flink 2.x has here. */
final class SourceRecording extends UidAudit.Recording {
  SourceRecording(StreamGraph[] graph) {
    super(graph);
  }

  @Override
  public <OUT> DataStreamSource<OUT> addSource(SourceFunction<OUT> function, String name, TypeInformation<OUT> type) {
    DataStreamSource<OUT> stream = super.addSource(function, name, type);
    UidAudit.record(stream.getTransformation());
    return stream;
  }
}
