import { servePairing } from "../clients/paimon/pairingThread";
import { starterPort } from "../clients/workerThread";

/** The thread that pairs savepoints with tags: large tables and metadata take time. */
servePairing(starterPort());
