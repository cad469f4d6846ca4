// Drawn on 24 units with one stroke; nothing of it is told to screen readers, for there is always a word beside it.
const SHAPES: Record<string, string> = {
  overview: "M4 19V11M10 19V5M16 19v-6M22 19H2",
  live: "M3 12h4l3-7 4 14 3-7h4",
  links: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.4-1.4",
  campaigns: "M4 10v4h3l9 5V5l-9 5zM19 9a4 4 0 0 1 0 6",
  publishers: "M4 21v-1a5 5 0 0 1 10 0v1M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M16 4.5a3.5 3.5 0 0 1 0 6.5M20 21v-1a5 5 0 0 0-3-4.6",
  sessions: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5l3.500 2",
  funnels: "M3 5h18l-7 8v6l-4 2v-8z",
  attribution: "M5 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4M5 21a2 2 0 1 0 0-4 2 2 0 0 0 0 4M19 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4M7 5h3l4 6h3M7 19h3l4-6",
  cohorts: "M4 5h5v5H4zM11 5h4v5h-4zM17 5h3v5h-3zM4 12h5v4H4zM11 12h4v4h-4zM4 18h5v2H4z",
  webhooks: "M9 8a3 3 0 1 1 4.500 2.600L16 15M15 17a3 3 0 1 1 3 2.500M12 17h6M8 11l-3 4.500M7 19a3 3 0 1 1-2-5",
  alerts: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20a2 2 0 0 0 4 0M12 3v2",
  privacy: "M5 11h14v9H5zM8 11V8a4 4 0 0 1 8 0v3M12 14.500v2",
  mute: "M6 16V11a6 6 0 0 1 9-5.200M18 11v5l1.500 2h-15M10 20a2 2 0 0 0 4 0M4 4l16 16",
  send: "M4 12l16-8-6 16-3-7z",
  quality: "M12 3l8 3v6c0 4.5-3.2 7.5-8 9-4.800-1.500-8-4.500-8-9V6zM9 12l2 2 4-4",
  integrity: "M4 6h16M4 12h10M4 18h6M15 17l2 2 4-4",
  letters: "M3 6h18v12H3zM3 7l9 6 9-6",
  settings: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6M12 2v3M12 19v3M4.900 4.900l2.100 2.100M17 17l2.100 2.100M2 12h3M19 12h3M4.900 19.100L7 17M17 7l2.100-2.100",
  key: "M14.500 9.500a4.500 4.500 0 1 0-3.600 4.400L13 16h2v2h2v2h3v-3l-5.800-5.800a4.500 4.500 0 0 0 .3-1.700M9 9h.01",
  leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M20 20l-4-4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  download: "M12 4v11M7 11l5 5 5-5M4 20h16",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  light: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v2M12 19v2M5.600 5.600L7 7M17 17l1.400 1.400M3 12h2M19 12h2M5.600 18.400L7 17M17 7l1.400-1.400",
  dark: "M20 14a8 8 0 0 1-10-10 8 8 0 1 0 10 10",
  auto: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  bot: "M6 9h12v9H6zM12 5v4M9.500 13h.01M14.500 13h.01M3 12v3M21 12v3",
  check: "M5 13l4 4L19 7",
  out: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  back: "M19 12H5M11 6l-6 6 6 6",
};

export function Icon({ name }: { name: string }) {
  if (name === "brand") {
    return (
      <svg class="icon-brand" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="8" />
        <path d="M7 22l5-7 4 4 8-11" />
        <circle cx="24" cy="8" r="2.6" />
      </svg>
    );
  }
  return (
    <svg class="icon-line" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={SHAPES[name] ?? ""} />
    </svg>
  );
}
