import { describeKilledHost, everyMoment } from "./support/killedHostSuite";

describeKilledHost(everyMoment, "killedHost-long");
