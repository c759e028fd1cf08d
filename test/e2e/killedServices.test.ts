import { describeKills } from "./support/describeKills";

describeKills("1.20.5", 19670, 50);
