package jobs;

import java.time.Duration;

/** In Flink 2.x a span of time is Java's own. */
final class Spans {
  static Duration of(long seconds) {
    return Duration.ofSeconds(seconds);
  }

  private Spans() {}
}
