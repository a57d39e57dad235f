// On telephones whose keyboard covers the page instead of making it smaller, the room shrinks by itself.

export function fitKeyboard() {
  const { visualViewport: seen } = window;
  if (!seen) return;
  seen.addEventListener("resize", () => {
    if (seen.scale !== 1) return; // somebody enlarges the page
    const covered = innerHeight - seen.height > 80;
    document.documentElement.style.setProperty("--height", covered ? `${seen.height}px` : "100dvh");
    if (covered) scrollTo(0, 0);
  });
}
