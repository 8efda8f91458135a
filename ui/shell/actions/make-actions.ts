import type { App } from "../../state/app.ts";
import type { Action } from "./action.ts";
import { arrangeActions } from "./arrange-actions.ts";
import { editActions } from "./edit-actions.ts";
import { goActions } from "./go-actions.ts";
import { graphActions } from "./graph-actions.ts";
import { nodeActions } from "./node-actions.ts";
import { runActions } from "./run-actions.ts";
import { selectActions } from "./select-actions.ts";
import { viewActions } from "./view-actions.ts";

/** Every command there is. A component that does something asks for an action here. */
export function makeActions(app: App): readonly Action[] {
  return [runActions, editActions, selectActions, nodeActions, arrangeActions, viewActions, graphActions, goActions].flatMap((make) =>
    make(app),
  );
}
