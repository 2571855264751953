// Keeps a text in the tab's storage. Without a text, returns the one that is kept.
export default function ({ data, setStateValue }) {
  const name = "kept";
  try {
    if (data.kept !== null) {
      sessionStorage.setItem(name, data.kept);
    } else if (sessionStorage.getItem(name)) {
      setStateValue(name, sessionStorage.getItem(name));
    }
  } catch { /* the browser allows no storage */ }
}
