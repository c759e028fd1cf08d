package testjob;

import org.apache.flink.api.common.functions.MapFunction;

/** Passes numbers on at a pace, and none while {@code hang-source} exists. */
final class Throttle implements MapFunction<Long, Long> {
    private final long pauseUs;
    private final Controls controls;
    private long seen;

    Throttle(long pauseUs, Controls controls) {
        this.pauseUs = pauseUs;
        this.controls = controls;
    }

    @Override
    public Long map(Long number) throws InterruptedException {
        if (pauseUs >= 1000) {
            Thread.sleep(pauseUs / 1000);
        } else if (pauseUs > 0 && seen++ % 1000 == 0) {
            Thread.sleep(pauseUs);
        }
        while (controls.on("hang-source")) {
            Thread.sleep(100);
        }
        return number;
    }
}
