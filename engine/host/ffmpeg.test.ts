import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { countFrames, readFrame, runFfmpeg } from "./ffmpeg.ts";

const dir = mkdtempSync(join(tmpdir(), "ffmpeg-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const hasFfmpeg = (() => {
  try {
    execFileSync("ffmpeg", ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasFfmpeg)("with ffmpeg", () => {
  const video = join(dir, "grey.mp4");
  /** Frame k is grey of 20·k. */
  const made = () =>
    execFileSync("ffmpeg", [
      ...["-v", "error", "-y", "-f", "lavfi", "-i", "color=black:size=64x48:rate=5:duration=2,format=gray,geq=lum=20*N"],
      ...["-c:v", "mpeg4", "-q:v", "1", "-g", "4", "-bf", "2", video],
    ]);

  it("counts frames and gives each by its number", async () => {
    made();
    expect(await countFrames(video, "grey.mp4")).toBe(10);
    for (const k of [0, 3, 9]) {
      const { channels } = await sharp(await readFrame(video, k, "grey.mp4")).stats();
      // Video black is 16, and white 235.
      expect(Math.abs((channels[0]?.mean ?? 0) - Math.min(255, 20 * k)), `frame ${k}`).toBeLessThan(25);
    }
    await expect(readFrame(video, 10, "grey.mp4")).rejects.toMatchObject({
      code: "VIDEO_READ",
      message: expect.stringMatching(/grey.mp4 has no frame 10/),
    });
  });

  it("what is no video says so, by its name", async () => {
    const broken = join(dir, "broken.mp4");
    writeFileSync(broken, "no video");
    await expect(countFrames(broken, "set/broken.mp4")).rejects.toMatchObject({
      code: "VIDEO_READ",
      message: expect.stringMatching(/^set\/broken.mp4 cannot be read/),
    });
    await expect(readFrame(broken, 0, "set/broken.mp4")).rejects.toMatchObject({ code: "VIDEO_READ" });
  });

  it("a playlist that calls itself a video reads no other file", async () => {
    made();
    const playlist = join(dir, "playlist.mp4");
    writeFileSync(playlist, `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${video}\n#EXT-X-ENDLIST\n`);
    await expect(countFrames(playlist, "playlist.mp4")).rejects.toMatchObject({ code: "VIDEO_READ" });
    const list = join(dir, "concat.mp4");
    writeFileSync(list, `ffconcat version 1.0\nfile '${video}'\n`);
    await expect(readFrame(list, 0, "concat.mp4")).rejects.toMatchObject({ code: "VIDEO_READ" });
  });
});

it("without ffmpeg the error says what to install", async () => {
  const path = process.env.PATH;
  process.env.PATH = dir;
  try {
    await expect(runFfmpeg("ffprobe", [])).rejects.toMatchObject({ code: "VIDEO_FFMPEG", hint: "apt-get install ffmpeg" });
  } finally {
    process.env.PATH = path;
  }
});

it("an ffmpeg that is there and cannot be started is not said to be absent", async () => {
  const path = process.env.PATH;
  const bin = join(dir, "bin");
  mkdirSync(bin);
  // Without the right to execute it.
  writeFileSync(join(bin, "ffprobe"), "");
  process.env.PATH = bin;
  try {
    await expect(runFfmpeg("ffprobe", [])).rejects.toMatchObject({
      code: "VIDEO_FFMPEG",
      message: expect.stringContaining("cannot be started"),
    });
  } finally {
    process.env.PATH = path;
  }
});

it.skipIf(process.platform === "win32")("an ffmpeg that is ended from outside says by what", async () => {
  const path = process.env.PATH;
  const bin = join(dir, "ended");
  mkdirSync(bin);
  writeFileSync(join(bin, "ffmpeg"), "#!/bin/sh\nkill -9 $$\n", { mode: 0o755 });
  process.env.PATH = bin;
  try {
    await expect(runFfmpeg("ffmpeg", [])).rejects.toMatchObject({ code: "VIDEO_READ", message: "ffmpeg ended with SIGKILL" });
  } finally {
    process.env.PATH = path;
  }
});
