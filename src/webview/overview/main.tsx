import { render } from "preact";
import type { OverviewPageApi, OverviewPageEvents } from "../../core/overview/overviewPage";
import { connect } from "../../core/rpc";
import { hostPort } from "../inspector/vscode";
import { OverviewPage } from "./overviewPage";

const root = document.getElementById("page");
if (root !== null) render(<OverviewPage host={connect<OverviewPageApi, OverviewPageEvents>(hostPort)} />, root);
