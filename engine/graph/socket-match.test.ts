import { expect, test } from "vitest";
import { socketFeedsWidget, socketsMatch } from "./socket-match.ts";

test("equal names, stars and unions that share a name", () => {
  expect(socketsMatch("IMAGE", "IMAGE")).toBe(true);
  expect(socketsMatch("IMAGE", "MASK")).toBe(false);
  expect(socketsMatch("*", "MASK")).toBe(true);
  expect(socketsMatch("IMAGE", "*")).toBe(true);
  expect(socketsMatch("IMAGE", "MASK, IMAGE")).toBe(true);
  expect(socketsMatch("LATENT,IMAGE", "MASK,IMAGE")).toBe(true);
  expect(socketsMatch("LATENT", "MASK,IMAGE")).toBe(false);
  expect(socketsMatch("image", "IMAGE")).toBe(false);
});

test("widgets take their own type, and what converts without loss", () => {
  expect(socketFeedsWidget("INT", "FLOAT")).toBe(true);
  expect(socketFeedsWidget("FLOAT", "INT")).toBe(false);
  expect(socketFeedsWidget("STRING", "COMBO")).toBe(true);
  expect(socketFeedsWidget("COMBO", "STRING")).toBe(true);
  expect(socketFeedsWidget("BOOLEAN", "INT")).toBe(false);
  expect(socketFeedsWidget("IMAGE", "STRING")).toBe(false);
  expect(socketFeedsWidget("*", "INT")).toBe(true);
});
