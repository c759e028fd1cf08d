import { render } from "preact";
import type { PairsPageApi, PairsPageEvents } from "../../core/paimon/boardPage";
import { connect } from "../../core/rpc";
import { hostPort } from "../inspector/vscode";
import { BoardPage } from "./boardPage";

const root = document.getElementById("page");
if (root !== null) render(<BoardPage host={connect<PairsPageApi, PairsPageEvents>(hostPort)} />, root);
