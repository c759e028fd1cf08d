import { describeKilledHost, everyMoment } from "./support/killedHostSuite";

describeKilledHost(everyMoment, 19_750);
