// Serves ui/gallery, and photographs it: node tools/panel-gallery.ts [--shots FOLDER [PAGE …]]
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const ROOT = join(import.meta.dirname, "..");
const PHOTOS = join(ROOT, "graphs", "input");
const HUES = [8, 35, 95, 160, 205, 265, 300, 335];

/** Two glowing faces, as a map of a gradient. */
const HEAT = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640"><radialGradient id="g"><stop offset="0" stop-color="#fff"/><stop offset="1" stop-color="#000"/></radialGradient><rect width="100%" height="100%"/><ellipse cx="273" cy="261" rx="120" ry="150" fill="url(#g)"/><ellipse cx="694" cy="187" rx="90" ry="110" fill="url(#g)"/></svg>`;

const server = await createServer({
  configFile: false,
  root: join(ROOT, "ui"),
  logLevel: "warn",
  cacheDir: join(tmpdir(), "whos-who-gallery"),
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { host: "127.0.0.1", port: 5199, fs: { allow: [ROOT] }, hmr: false, watch: null },
  plugins: [
    {
      name: "pictures",
      configureServer: ({ middlewares }) => {
        middlewares.use((request, response, next) => {
          const match = /^\/api\/files\/(\w+)\/([^?]+)/.exec(request.url ?? "");
          if (!match) return next();
          const name = decodeURIComponent(match[2] ?? "");
          const made = /-(\d+)-(\d+)x(\d+)\.svg$/.exec(name);
          if (made) {
            response.setHeader("content-type", "image/svg+xml");
            response.end(drawing(Number(made[1]), Number(made[2]), Number(made[3])));
          } else if (name.startsWith("gradient-")) {
            response.setHeader("content-type", "image/svg+xml");
            response.end(HEAT);
          } else if (match[1] === "input") response.end(readFileSync(join(PHOTOS, name.replace(/.*\//, ""))));
          else {
            response.statusCode = 404;
            response.end();
          }
        });
      },
    },
  ],
});
await server.listen();
const address = `http://127.0.0.1:5199/gallery/gallery.html`;

/** People in a row: their colours follow the number. */
function drawing(number: number, width: number, height: number): string {
  const count = Math.max(1, Math.round(width / height / 0.48));
  const people = Array.from({ length: count }, (_, i) => {
    const x = (width * (i + 0.5)) / count;
    const r = height * 0.17;
    const hue = HUES[(number + i) % HUES.length];
    return `<circle cx="${x}" cy="${height * 0.42}" r="${r}" fill="hsl(${hue} 45% 68%)"/><rect x="${x - r * 1.3}" y="${height * 0.62}" width="${r * 2.6}" height="${height}" rx="${r}" fill="hsl(${hue} 40% 42%)"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="hsl(${(number * 40 + 200) % 360} 14% 74%)"/>${people.join("")}</svg>`;
}

const shots = process.argv.indexOf("--shots");
if (shots < 0) console.log(address);
else {
  const folder = process.argv[shots + 1] ?? tmpdir();
  const browser = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "chromium-")), {
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
  });
  const page = await browser.newPage();
  page.on("console", (m) => m.type() === "error" && console.log(m.text()));
  page.on("pageerror", (e) => console.log(e.stack));
  for (const name of process.argv.slice(shots + 2))
    for (const theme of ["dark", "light"])
      for (const [width, height] of [
        [1280, 800],
        [2560, 1440],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.goto(`${address}?page=${name}&theme=${theme}`, { waitUntil: "networkidle" });
        await page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`) });
      }
  await browser.close();
  await server.close();
}
