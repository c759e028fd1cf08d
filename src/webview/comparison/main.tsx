import { render } from "preact";
import type { ComparisonPageApi } from "../../core/comparison/comparisonPage";
import { connect } from "../../core/rpc";
import { hostPort } from "../inspector/vscode";
import { ComparisonPage } from "./comparisonPage";

const root = document.getElementById("page");
if (root !== null) render(<ComparisonPage host={connect<ComparisonPageApi>(hostPort)} />, root);
