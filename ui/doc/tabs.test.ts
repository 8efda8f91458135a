import { expect, test } from "vitest";
import { parseJson, stringifyJson } from "../../engine/base/json.ts";
import { Registry } from "../../engine/node/registry.ts";
import { nodes } from "../../nodes/index.ts";
import { perform, undo } from "./history.ts";
import { nodeFaces } from "./node-face.ts";
import { emptyDocument } from "./read-document.ts";
import { dumpTabs, isDirty, openDocument, openTab, placeOf, restoreTabs, saveDocument, type Tab, type Tabs } from "./tabs.ts";

const faces = nodeFaces(new Registry(nodes));
const add = (tab: Tab, type: string): Tab => ({
  ...tab,
  history: perform(tab.history, { name: "node.add", args: { place: null, type, pos: [1, 2] } }, faces),
});
const through = (tabs: Tabs) => restoreTabs(parseJson(stringifyJson(dumpTabs(tabs)), { maxCharacters: 1e7, maxDepth: 64 }), faces);

test("what is open comes back after a crash, changed or not", () => {
  const saved = openTab("a", "edit", emptyDocument("1"), { revision: "r1", isSaved: true });
  const changed = add(openTab("b", "train", emptyDocument("2"), { revision: "r2", isSaved: true }), "KSampler");
  const { tabs, lost } = through({ tabs: [saved, { ...changed, views: { "": { scale: 0.5, offset: [3, 4] } } }], active: "b" });
  expect(lost).toEqual([]);
  expect(tabs?.active).toBe("b");
  expect(tabs?.tabs.map((t) => [t.name, t.revision, isDirty(t)])).toEqual([
    ["edit", "r1", false],
    ["train", "r2", true],
  ]);
  expect(dumpTabs(tabs ?? expect.fail()).tabs[1]?.document).toEqual(dumpTabs({ tabs: [changed], active: "b" }).tabs[0]?.document);
  expect(tabs?.tabs[1]?.views[""]).toEqual({ scale: 0.5, offset: [3, 4] });
});

test("a tab that can't be read is named and takes no other with it", () => {
  const dump = dumpTabs({ tabs: [openTab("a", "good", emptyDocument("1")), openTab("b", "bad", emptyDocument("2"))], active: "b" });
  const { tabs, lost } = restoreTabs(
    { ...dump, tabs: dump.tabs.map((t) => (t.name === "bad" ? { ...t, document: { nodes: 7 } } : t)) },
    faces,
  );
  expect(tabs?.tabs.map((t) => t.name)).toEqual(["good"]);
  expect(tabs?.active).toBe("a");
  expect(lost).toEqual([expect.stringContaining("bad can't be restored")]);
  expect(restoreTabs({ version: 9 }, faces).lost).toHaveLength(1);
  expect(restoreTabs(undefined, faces).lost).toEqual([]);
});

test("undo back to what is saved is not dirty", () => {
  const tab = openTab("a", "edit", emptyDocument("1"), { isSaved: true });
  const changed = add(tab, "Note");
  expect(isDirty(changed)).toBe(true);
  expect(isDirty({ ...changed, history: undo(changed.history) })).toBe(false);
  expect(isDirty(openTab("b", "new", emptyDocument("2")))).toBe(false);
});

test("the view is saved with the document", () => {
  const tab: Tab = { ...openTab("a", "x", emptyDocument("1")), views: { "": { scale: 2, offset: [5, 6] } } };
  expect(openTab("b", "x", openDocument(JSON.parse(stringifyJson(saveDocument(tab))), faces, "u")).views).toEqual(tab.views);
});

test("a path into a subgraph that was undone leads back outside", () => {
  const tab = add(openTab("a", "x", emptyDocument("1")), "KSampler");
  const inside: Tab = {
    ...tab,
    history: perform(tab.history, { name: "subgraph.create", args: { place: null, ids: [1], name: "S", uuid: "s" } }, faces),
    path: [2],
  };
  expect(placeOf(inside)).toEqual({ place: "s", path: [2] });
  expect(placeOf({ ...inside, history: undo(inside.history) })).toEqual({ place: null, path: [] });
});
