// Where trainings are copied to while they run: other people's trackers, by their address. Off until someone gives one.
import { useEffect, useState } from "preact/hooks";
import { type Settings, settings as settingsSchema } from "../../engine/api/system.ts";
import { call } from "../net/client.ts";
import { useApp } from "../state/context.ts";
import { changeSettings } from "../state/settings.ts";
import { say } from "../state/toasts.ts";

interface Fields {
  readonly isOn: boolean;
  readonly url: string;
  /** Trackio's project, MLflow's experiment. */
  readonly name: string;
}
interface Form {
  readonly trackio: Fields;
  readonly mlflow: Fields;
}

const TRACKERS = [
  { key: "trackio", title: "Trackio", nameLabel: "Project", example: "http://127.0.0.1:7860" },
  { key: "mlflow", title: "MLflow", nameLabel: "Experiment", example: "http://127.0.0.1:5000" },
] as const;

export function TrackerSettings() {
  const app = useApp();
  const [form, setForm] = useState<Form>();
  const [saved, setSaved] = useState<Form>();
  useEffect(() => {
    void app.try(async () => {
      const read = formOf(await call("settings", {}));
      setForm(read);
      setSaved(read);
    });
  }, [app]);
  if (!form) return null;
  const wrong = TRACKERS.flatMap(({ key, title, nameLabel }) => {
    const { isOn, url, name } = form[key];
    if (!isOn) return [];
    if (!/^https?:\/\/[^/]+/.test(url) || !URL.canParse(url)) return [`${title}: the address begins with http:// or https://`];
    return name.trim() === "" ? [`${title}: ${nameLabel.toLowerCase()} has no name`] : [];
  });
  const save = (): void =>
    void app.try(async () => {
      await changeSettings((s) => ({ ...s, trackers: trackersOf(form) }));
      setSaved(form);
      const on = TRACKERS.filter(({ key }) => form[key].isOn).map((t) => t.title);
      say(on.length === 0 ? "Trainings are copied nowhere." : `The next training is copied to ${on.join(" and ")}.`);
    });
  const isChanged = JSON.stringify(form) !== JSON.stringify(saved);
  return (
    <fieldset class="trackers">
      <legend>Copy trainings to</legend>
      {TRACKERS.map(({ key, title, nameLabel, example }) => {
        const fields = form[key];
        const change = (part: Partial<Fields>): void => setForm({ ...form, [key]: { ...fields, ...part } });
        return (
          <div key={key} class="tracker">
            <label class="row">
              <input type="checkbox" class="switch" checked={fields.isOn} onChange={(e) => change({ isOn: e.currentTarget.checked })} />
              {title}
            </label>
            {fields.isOn && (
              <div class="widget-row">
                <label for={`${key}-url`}>Address</label>
                <input
                  id={`${key}-url`}
                  class="field"
                  type="url"
                  placeholder={example}
                  value={fields.url}
                  onInput={(e) => change({ url: e.currentTarget.value })}
                />
                <label for={`${key}-name`}>{nameLabel}</label>
                <input
                  id={`${key}-name`}
                  class="field"
                  placeholder="whos-who"
                  value={fields.name}
                  onInput={(e) => change({ name: e.currentTarget.value })}
                />
              </div>
            )}
          </div>
        );
      })}
      {isChanged &&
        wrong.map((text) => (
          <p key={text} class="small warn" role="alert">
            {text}
          </p>
        ))}
      <div class="row">
        <span class="small dimmer grow">Numbers and settings leave this machine only for the addresses given here.</span>
        <button type="button" class="button" disabled={!isChanged || wrong.length > 0} onClick={save}>
          Keep
        </button>
      </div>
    </fieldset>
  );
}

function formOf(settings: Settings): Form {
  const { trackio, mlflow } = settings.trackers ?? {};
  return {
    trackio: { isOn: trackio !== undefined, url: trackio?.url ?? "", name: trackio?.project ?? "" },
    mlflow: { isOn: mlflow !== undefined, url: mlflow?.url ?? "", name: mlflow?.experiment ?? "" },
  };
}

function trackersOf({ trackio, mlflow }: Form): Settings["trackers"] {
  return settingsSchema.shape.trackers.parse({
    ...(trackio.isOn && { trackio: { url: trackio.url.trim(), project: trackio.name.trim() } }),
    ...(mlflow.isOn && { mlflow: { url: mlflow.url.trim(), experiment: mlflow.name.trim() } }),
  });
}
