//! Pages: the shell of a self-contained HTML document, with tables and figures that a screen reader can use.
//!
//! One file: no script, no address of anything outside, one `<style>` whose hash is in the page's own
//! Content-Security-Policy, no `style` attributes. `maud` escapes everything that is put in; texts of people and agents
//! come through [`t`], which also takes out what would steer a reader. Light, dark and paper are in the style.
//!
//! Invariant: the same values give the same bytes.
//! Elsewhere: charts are [`super::charts`]; what stands in a page is each report's. This file and the pages of reports are the
//! home of maud.

use director_protocols::digest::Digest;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts;
use super::text::line;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--raised:#f5f7f9;--text:#1d2530;--muted:#55606e;--rule:#d3d9e0;--accent:#1f5fa8;\
--good:#1d7a5f;--bad:#b3202a}\
@media screen and (prefers-color-scheme:dark){:root{--ground:#12161c;--raised:#1a2029;--text:#e6eaf0;--muted:#a3aebc;--rule:#333c48;\
--accent:#79b2f2;--good:#5fcfa9;--bad:#ff8f8a}}\
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
main{max-width:944px;margin:0 auto;padding:24px 16px 64px}\
h1{font-size:1.9rem;line-height:1.2;margin:.2em 0}h2{font-size:1.3rem;margin:2.4em 0 .6em;padding-top:.5em;border-top:1px solid var(--rule)}\
h3{font-size:1rem;margin:1.6em 0 .4em}p{margin:.5em 0;max-width:72ch}a{color:var(--accent)}\
.lead,.note,figcaption,caption{color:var(--muted)}.note{font-size:.9rem;font-weight:400}td code{white-space:nowrap;overflow-wrap:normal}\
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0;padding:0}\
.tiles div{background:var(--raised);border:1px solid var(--rule);border-radius:8px;padding:10px 14px}\
.tiles dt{color:var(--muted);font-size:.85rem}.tiles dd{margin:0;font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}\
.tiles small{display:block;font-size:.8rem;font-weight:400;color:var(--muted)}\
figure{margin:12px 0 24px}figcaption{font-size:.9rem;margin-top:6px;max-width:80ch}\
svg.chart{display:block;max-width:100%;height:auto}.narrow{display:none}\
.scroll{overflow-x:auto;margin:12px 0}.scroll:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}\
table{border-collapse:collapse;width:100%;font-size:.93rem}caption{text-align:left;font-size:.9rem;padding:0 0 6px}\
th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;border-bottom:1px solid var(--rule)}\
thead th{white-space:nowrap;border-bottom:2px solid var(--rule)}tbody th{font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
tr>:last-child{padding-right:0}ul,ol{padding-left:1.3em;margin:.4em 0}li{margin:.4em 0;max-width:80ch}\
.mark{font-weight:700;white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}.plain{color:var(--muted)}\
.cite{color:var(--muted);font-size:.85rem;white-space:nowrap}nav ul{display:flex;flex-wrap:wrap;gap:4px 16px;padding:0;list-style:none}nav li{margin:0}\
@media (max-width:600px){main{padding:14px 14px 48px}h1{font-size:1.5rem}.wide{display:none}.narrow{display:block}\
.tiles{grid-template-columns:1fr 1fr}.tiles dd{font-size:1.1rem}.cite{white-space:normal}}\
@media print{main{max-width:none;padding:0}nav{display:none}.wide{display:block}.narrow{display:none}h2{break-after:avoid}figure,tr,li{break-inside:avoid}\
.scroll{overflow:visible}}";

/// Text of people or agents: one line, without what is not shown as itself. maud escapes it where it is put in.
pub(super) fn t(text: &str) -> String {
    line(text)
}

/// A whole document.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let style = format!("{STYLE}{}", charts::css());
    let hash = Digest::of(style.as_bytes()).base64();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (t(title)) }
                style { (PreEscaped(style)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}

/// A cell of a table.
pub(super) enum Cell {
    /// Text.
    Text(String),
    /// A number or a time, to the right.
    Number(String),
    /// Markup of ours.
    Markup(Markup),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(t(text))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(t(&text))
    }
}

impl Cell {
    fn is_number(&self) -> bool {
        matches!(self, Cell::Number(_))
    }

    fn markup(&self) -> Markup {
        match self {
            Cell::Text(text) => html! { (text) },
            Cell::Number(text) => html! { (t(text)) },
            Cell::Markup(markup) => html! { (markup) },
        }
    }
}

/// A table whose first column names its rows; it scrolls by itself where it is wider than the page.
pub(super) fn table(id: &str, caption: &str, head: &[&str], rows: &[Vec<Cell>]) -> Markup {
    let numbers = |column: usize| {
        rows.first()
            .and_then(|row| row.get(column))
            .is_some_and(Cell::is_number)
    };
    html! {
        div class="scroll" role="region" aria-labelledby=(id) tabindex="0" {
            table {
                caption id=(id) { (caption) }
                thead { tr {
                    @for (column, name) in head.iter().enumerate() {
                        th scope="col" class=[numbers(column).then_some("n")] { (name) }
                    }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 { th scope="row" { (cell.markup()) } }
                                @else { td class=[cell.is_number().then_some("n")] { (cell.markup()) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A chart, drawn for a screen and for a phone; only one of them is shown.
pub(super) fn figure(
    id: &str,
    title: &str,
    about: &str,
    draw: impl Fn(&charts::Frame<'_>) -> String,
) -> Markup {
    let (wide, narrow) = (format!("{id}-wide"), format!("{id}-narrow"));
    html! {
        figure {
            div class="wide" { (PreEscaped(draw(&charts::Frame::wide(&wide, title, about)))) }
            div class="narrow" { (PreEscaped(draw(&charts::Frame::narrow(&narrow, title, about)))) }
            figcaption { (t(about)) }
        }
    }
}

/// A list, or the word "none".
pub(super) fn list(items: &[Markup]) -> Markup {
    html! {
        @if items.is_empty() { p { "None." } }
        @else { ul { @for item in items { li { (item) } } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lets_nothing_in_and_nothing_out() {
        let hostile = "</title><script>alert(1)</script>\u{202e}\u{1b}[2J \"x\" & 'y'";
        let rows = [vec![Cell::from(hostile), Cell::Number("1".to_owned())]];
        let body = table("a", "What", &["name", "number"], &rows);
        let page = page(hostile, &body);
        for never in [
            "<script",
            "\u{202e}",
            "\u{1b}",
            " style=",
            "http://",
            "https://",
            "onload",
            "javascript:",
        ] {
            assert!(!page.contains(never), "{never:?} in {page}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        // The policy names exactly the style that is there.
        let style = page
            .split("<style>")
            .nth(1)
            .and_then(|rest| rest.split("</style>").next());
        let hash = Digest::of(style.expect("a style").as_bytes()).base64();
        assert!(
            page.contains(&format!("style-src 'sha256-{hash}'"))
                || page.contains(&format!("style-src &#39;sha256-{hash}&#39;"))
        );
        assert_eq!(page.matches("<style>").count(), 1);
    }
}
