import { describeFaults } from "./support/faultSuite";

["1.15.4", "1.18.1", "2.0.2", "2.3.0"].forEach((version, at) => describeFaults(version, 19640 + at * 15));
