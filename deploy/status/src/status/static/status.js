// Keeps the state of the services fresh, and copies commands. The page is whole without it.
const REFRESH_MS = 5000;
const COPIED_MS = 1500;

function showHealth(health) {
  const headline = health.failing.length ? `Not ready: ${health.failing.join(", ")}` : "All services are well";
  const lead = document.querySelector("#lead");
  // Written only when it changes: it is a live region, and a screen reader says each change.
  if (lead.textContent.trim() !== headline) lead.textContent = headline;
  for (const [name, { state, description }] of Object.entries(health.services)) {
    const article = document.querySelector(`[data-service="${CSS.escape(name)}"]`);
    if (!article) continue;
    article.dataset.state = state;
    article.querySelector(".words").textContent = description;
  }
}

async function refreshHealth() {
  if (document.hidden) return;
  const answer = await fetch("healthz", { cache: "no-store" });
  showHealth(await answer.json());
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const command of document.querySelectorAll(".command")) {
    const button = command.querySelector("button");
    const label = button.firstChild;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      label.textContent = "Copied";
      setTimeout(() => { label.textContent = "Copy"; }, COPIED_MS);
    });
  }
}

offerCopies();
setInterval(() => refreshHealth().catch(() => undefined), REFRESH_MS);
