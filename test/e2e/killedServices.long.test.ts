import { describeKills } from "./support/describeKills";

describeKills("1.20.5", 19670, 200);
describeKills("2.3.0", 19680, 200);
