import type { InputFace } from "../doc/node-face.ts";
import { showValue } from "../doc/widgets.ts";
import { TypeMark } from "../panels/inspector.tsx";
import { useApp } from "../state/context.ts";
import { Dialog } from "./dialog.tsx";
import { stageRef } from "./stage-ref.ts";

/** A node type in full: what goes in, with ranges and defaults, and what comes out. */
export function NodeHelp({ type, close }: { readonly type: string; readonly close: () => void }) {
  const app = useApp();
  const face = app.editor.faces.get(type);
  if (!face) return null;
  return (
    <Dialog
      title={face.type}
      close={close}
      size="wide"
      foot={
        face.isVirtual ? undefined : (
          <button
            type="button"
            class="button primary"
            onClick={() => {
              close();
              app.editor.add({ name: "node.add", args: { place: app.editor.place.value, type, pos: stageRef.current?.centre ?? [0, 0] } });
            }}
          >
            Add one
          </button>
        )
      }
    >
      <p>{face.summary}</p>
      <p class="small dimmer">
        {face.category}
        {face.entry && `, version ${face.entry.version}`}
        {face.stage && `, ${face.stage}`}
      </p>
      {face.inputs.length > 0 && (
        <table class="plain-table help-table">
          <thead>
            <tr>
              <th scope="col">Input</th>
              <th scope="col">Type</th>
              <th scope="col">What it is</th>
            </tr>
          </thead>
          <tbody>
            {face.inputs.map((input) => (
              <tr key={input.name}>
                <th scope="row">{input.name}</th>
                <td>{kindOf(input)}</td>
                <td>{input.tooltip}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {face.outputs.length > 0 && (
        <ul>
          {face.outputs.map((o) => (
            <li key={o.name} class="row">
              <TypeMark type={o.type} /> {o.name} <span class="small dimmer">{o.type}</span>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

/** `FLOAT, 0 to 1, default 0.5`. */
function kindOf(input: InputFace): string {
  if (input.kind === "socket") return `${input.type}${input.optional ? ", optional" : ""}`;
  const range = input.min !== undefined && input.max !== undefined ? `${showValue(input.min)} to ${showValue(input.max)}` : "";
  const choices = input.options ? input.options.slice(0, 12).join(", ") + (input.options.length > 12 ? " …" : "") : "";
  const first = showValue(input.default);
  return [input.options ? "" : input.type, range, choices, first === "" ? "" : `default ${first}`].filter((t) => t !== "").join(", ");
}
