import { describeStorm } from "./support/describeStorm";

describeStorm("2.2.1", 19735, 100);
