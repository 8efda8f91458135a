// Line icons on a 16 px grid.
const PATHS = {
  nodes: "M2.5 3.5h4v3h-4zM9.5 9.5h4v3h-4zM6.5 5h2.2c1 0 1 1 1 2v2.5",
  graphs: "M3.5 1.8h6l3 3v9.4h-9zM9.5 1.8v3h3",
  models: "M8 1.8l5.5 3v6.4L8 14.2l-5.5-3V4.8zM2.5 4.8L8 8l5.5-3.2M8 8v6.2",
  runs: "M8 2a6 6 0 1 1-5.6 3.8M2 2.5v3.5h3.5M8 5v3.2l2.2 1.3",
  play: "M4.5 2.8v10.4l8.5-5.2z",
  pause: "M5 3v10M11 3v10",
  stop: "M3.5 3.5h9v9h-9z",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4l3.4 3.4",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  settings:
    "M8 5.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8zM8 1.8v1.6M8 12.6v1.6M1.8 8h1.6M12.6 8h1.6M3.6 3.6l1.2 1.2M11.2 11.2l1.2 1.2M12.4 3.6l-1.2 1.2M4.8 11.2l-1.2 1.2",
  keyboard: "M1.8 4h12.4v8H1.8zM4.5 6.5h.01M7 6.5h.01M9.5 6.5h.01M12 6.5h.01M5 9.5h6",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  lock: "M4 7.2h8v6H4zM5.6 7.2V5a2.4 2.4 0 0 1 4.8 0v2.2",
  map: "M2 3.5l4-1.5 4 1.5 4-1.5v10.5l-4 1.5-4-1.5-4 1.5zM6 2v10.5M10 3.5V14",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  warn: "M8 2.2l6 11H2zM8 6.5v3M8 11.4h.01",
  error: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 5v3.5M8 10.8h.01",
  check: "M3 8.5l3.2 3.2L13 4.8",
  trash: "M3 4.5h10M6 4.5V2.8h4v1.7M4.3 4.5l.6 8.7h6.2l.6-8.7",
  copy: "M5.5 5.5h8v8h-8zM2.5 10.5v-8h8",
  down: "M8 2.5v8M4.8 7.5L8 10.7l3.2-3.2M3 13.5h10",
  up: "M8 13.5v-8M4.8 8.5L8 5.3l3.2 3.2M3 2.5h10",
  open: "M6.5 3.5h-4v9h11v-4M9.5 2.5h4v4M13 3L7.5 8.5",
  star: "M8 2l1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z",
  mute: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM4 4l8 8",
  bypass: "M2 8h3.5M10.5 8H14M5.5 8c0-5 5-5 5 0",
  pin: "M6 2.5h4l-.5 4 2 2h-7l2-2zM8 8.5v5",
  subgraph: "M2.5 2.5h11v11h-11zM5 6h3v3H5zM8 7.5h3",
  chevron: "M6 4l4 4-4 4",
  grid: "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
  compare: "M8 2v12M3 4.5h3v7H3zM10 4.5h3v7h-3z",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.4 1.6",
  image: "M2 3h12v10H2zM2 10.5l3.5-3.5 3 3 2-2L14 11M10.5 5.8h.01",
  palette:
    "M8 2a6 6 0 1 0 0 12c1.5 0 1.2-1.4.8-2.2-.4-1 .3-1.8 1.3-1.8h1.6c1.3 0 2.3-.9 2.3-2.2C14 4.4 11.3 2 8 2zM5 7.5h.01M7.5 5h.01M10.5 6h.01",
  edit: "M3 13l.6-2.8 7.2-7.2 2.2 2.2-7.2 7.2zM9.4 4.4l2.2 2.2",
  help: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.3 6.4c.1-2.1 3.4-2.1 3.4 0 0 1.2-1.7 1.4-1.7 2.7M8 11.4h.01",
  save: "M2.5 2.5h8.5l2.5 2.5v8.5h-11zM5 2.5v3.5h5.5v-3.5M5 13.5v-4.5h6v4.5",
  brush: "M13.5 2.5l-6 6M5.5 8.5l2 2c0 2.5-2 3.5-5 3 1-1 .5-4 3-5z",
  form: "M2.5 3h11v3h-11zM2.5 8.5h6M2.5 12h9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
