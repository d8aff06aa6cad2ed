// The page works without this script; it adds the choice of the theme, which is kept where the browser lets it.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* files may have no storage */ } };
  const preferred = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const set = (theme) => {
    root.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
  };
  if (["light", "dark"].includes(kept())) set(kept());
  else button.textContent = preferred() === "dark" ? "Light" : "Dark";
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = (root.dataset.theme || preferred()) === "dark" ? "light" : "dark";
    set(next);
    keep(next);
  });
})();
