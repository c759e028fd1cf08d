import { describeFaults } from "./support/faultSuite";

describeFaults("1.20.5", 19630);
