// Keeps a text in the tab's storage. If an earlier session has kept one there, returns it first.
export default function ({ data, setStateValue }) {
  try {
    const earlier = JSON.parse(sessionStorage.getItem("kept"));
    if (earlier && earlier.session !== data.session && !data.restored)
      setStateValue("kept", earlier.kept);
    else
      sessionStorage.setItem("kept", JSON.stringify({session: data.session, kept: data.kept}));
  } catch { /* the browser allows no storage */ }
}
