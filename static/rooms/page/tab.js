// What the browser's tab shows of the room: its title, and how much there is to read.

import { visible } from "./text.js";

const MOST = 99; // that fit on the icon

const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel="icon"]'));
const plain = icon.href;
let title = document.title;
let count = 0;

/** @param {string} name */
export function nameTab(name) {
  title = visible(name);
  draw();
}

/** @param {number} unread */
export function countInTab(unread) {
  count = unread;
  draw();
}

function draw() {
  document.title = count ? `(${count}) ${title}` : title;
  icon.href = count ? `data:image/svg+xml,${encodeURIComponent(counted(count))}` : plain;
}

/** @param {number} unread */
const counted = (unread) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect width="32" height="32" rx="8" fill="#0f6b5c"/>
  <text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" fill="#fff">${Math.min(
    unread,
    MOST,
  )}</text>
</svg>`;
