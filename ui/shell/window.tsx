import { useEffect, useMemo, useRef } from "preact/hooks";
import { isDirty } from "../doc/tabs.ts";
import { useApp } from "../state/context.ts";
import { prefs } from "../state/prefs.ts";
import { dismiss, toasts } from "../state/toasts.ts";
import { keysOf } from "./actions/action.ts";
import { makeActions } from "./actions/make-actions.ts";
import { actionsRef } from "./actions-ref.ts";
import { BottomBar } from "./bottom-bar.tsx";
import { Dialogs } from "./dialogs.tsx";
import { hasModifier, isTyping, keyText } from "./keys.ts";
import { Rail, Side } from "./rail.tsx";
import { receiveFiles, receivePaste } from "./receive-files.ts";
import { openers, stageRef } from "./stage-ref.ts";
import { StageView } from "./stage-view.tsx";
import { TopBar } from "./top-bar.tsx";

export function Window() {
  const app = useApp();
  const file = useRef<HTMLInputElement>(null);
  const actions = useMemo(() => makeActions(app), [app]);
  actionsRef.current = actions;
  openers.files = () => file.current?.click();
  useTheme();
  useEffect(() => {
    let withLinks = false;
    const onKey = (e: KeyboardEvent): void => {
      if (e.defaultPrevented) return;
      if (app.dialog.value) {
        // The focus may not be inside it yet.
        if (e.key === "Escape") app.dialog.value = null;
        return;
      }
      const keys = keyText(e);
      if (keys === "" || (isTyping(e.target) && !hasModifier(keys))) return;
      if (isTyping(e.target) && ["Ctrl+Z", "Ctrl+Y", "Ctrl+C", "Ctrl+V", "Ctrl+X", "Ctrl+A", "Ctrl+Shift+Z", "Ctrl+Shift+V"].includes(keys))
        return;
      // A button under the focus takes Enter and the arrows itself.
      const isOnControl = e.target instanceof HTMLElement && e.target.closest("button, a, [role=separator], [role=menu]") !== null;
      if (isOnControl && ["Enter", "Space", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(keys)) return;
      // What was copied comes with the paste event.
      if (keys === "Ctrl+V" || keys === "Ctrl+Shift+V") {
        withLinks = keys === "Ctrl+Shift+V";
        return;
      }
      const action = actions.find((a) => keysOf(a).includes(keys));
      if (!action) return;
      e.preventDefault();
      if (action.isEnabled?.() !== false) void action.run();
    };
    const onPaste = (e: ClipboardEvent): void => {
      if (app.dialog.value || isTyping(e.target)) return;
      e.preventDefault();
      void receivePaste(app, e, stageRef.current?.centre ?? [0, 0], withLinks);
    };
    const onLeave = (e: BeforeUnloadEvent): void => {
      if (app.editor.trouble.value.length > 0 && app.editor.tabs.value.tabs.some(isDirty)) e.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("paste", onPaste);
    addEventListener("beforeunload", onLeave);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("paste", onPaste);
      removeEventListener("beforeunload", onLeave);
    };
  }, [app, actions]);
  return (
    <div class={`window${app.isFocus.value ? " focus" : ""}`}>
      <TopBar />
      <Rail />
      <StageView />
      <Side />
      <BottomBar />
      <Dialogs />
      <Toasts />
      <input
        ref={file}
        type="file"
        class="hidden-text"
        tabIndex={-1}
        aria-hidden="true"
        accept=".json,application/json,image/png,image/jpeg,image/webp"
        multiple
        onChange={(e) => {
          const files = [...(e.currentTarget.files ?? [])];
          e.currentTarget.value = "";
          void receiveFiles(app, files, stageRef.current?.centre ?? [0, 0]);
        }}
      />
    </div>
  );
}

/** The theme stands on the root element: the style sheet does the rest. */
function useTheme(): void {
  const { theme } = prefs.value;
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const set = (): void => {
      document.documentElement.dataset.theme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
    };
    set();
    dark.addEventListener("change", set);
    return () => dark.removeEventListener("change", set);
  }, [theme]);
}

function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div class="toast" key={t.id}>
          <span>{t.message}</span>
          {t.action && (
            <button
              type="button"
              onClick={() => {
                t.action?.run();
                dismiss(t.id);
              }}
            >
              {t.action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
