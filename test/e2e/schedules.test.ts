import { describeStorm } from "./support/describeStorm";

describeStorm("1.20.5", 19730, 15);
