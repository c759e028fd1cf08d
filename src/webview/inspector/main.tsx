import { render } from "preact";
import type { InspectorPageApi, InspectorPageEvents } from "../../core/inspector/inspectorPage";
import { connect } from "../../core/rpc";
import { Inspector } from "./inspector";
import { hostPort } from "./vscode";

const root = document.getElementById("page");
if (root !== null) render(<Inspector host={connect<InspectorPageApi, InspectorPageEvents>(hostPort)} />, root);
