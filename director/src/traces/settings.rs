//! Where traces go: the variables that every OpenTelemetry program reads.
//!
//! | variable | what it does here |
//! |---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the collector; `/v1/traces` is added. Without this or the next, nothing is sent |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the address as it is |
//! | `OTEL_EXPORTER_OTLP_HEADERS`, `…_TRACES_HEADERS` | `name=value,…`, sent along; values may be percent-encoded |
//! | `OTEL_EXPORTER_OTLP_TIMEOUT`, `…_TRACES_TIMEOUT` | milliseconds for one request; 10,000 |
//! | `OTEL_EXPORTER_OTLP_PROTOCOL`, `…_TRACES_PROTOCOL` | only `http/protobuf` is spoken |
//! | `OTEL_BSP_SCHEDULE_DELAY` | milliseconds that spans are gathered for; 5,000 |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who it is; `director` |
//! | `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER` | `true`, `none`: nothing is sent |
//!
//! Source: the OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter Configuration".

use std::time::Duration;

/// Where traces go, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The whole address.
    pub url: String,
    /// Headers that are sent along. They may hold secrets.
    pub headers: Vec<(String, String)>,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// How long spans are gathered.
    pub delay: Duration,
    /// What is said of this program: names and values.
    pub resource: Vec<(String, String)>,
}

impl Settings {
    /// From variables; none when nothing is to be sent.
    ///
    /// # Errors
    /// Which variable makes no sense, and what it may be.
    pub fn of(var: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        // An empty one counts as none.
        let var = |name: &str| var(name).map(|text| text.trim().to_owned());
        let var = |name: &str| var(name).filter(|text| !text.is_empty());
        let of_traces = |name: &str| {
            var(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"))
                .or_else(|| var(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        let off = var("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
            || var("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none");
        let url = match var("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            Some(url) => Some(url),
            None => var("OTEL_EXPORTER_OTLP_ENDPOINT")
                .map(|base| format!("{}/v1/traces", base.trim_end_matches('/'))),
        };
        let Some(url) = url.filter(|_| !off) else {
            return Ok(None);
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(format!(
                "the OTLP endpoint `{url}` has to begin with http:// or https://"
            ));
        }
        if let Some(protocol) = of_traces("PROTOCOL").filter(|text| text != "http/protobuf") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL is `{protocol}`; director speaks `http/protobuf`, which collectors take at port 4318"
            ));
        }
        let millis = |name: &str, text: Option<String>, otherwise: u64| match text {
            None => Ok(Duration::from_millis(otherwise)),
            Some(text) => text
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| format!("{name} is `{text}`; it has to be a number of milliseconds")),
        };
        let mut resource = vec![
            (
                "service.name".to_owned(),
                var("OTEL_SERVICE_NAME").unwrap_or_else(|| "director".to_owned()),
            ),
            (
                "service.version".to_owned(),
                env!("CARGO_PKG_VERSION").to_owned(),
            ),
        ];
        let named = var("OTEL_SERVICE_NAME").is_some();
        for (name, value) in pairs(&var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default()) {
            if name != "service.name" || !named {
                resource.retain(|(known, _)| *known != name);
                resource.push((name, value));
            }
        }
        Ok(Some(Self {
            url,
            headers: pairs(&of_traces("HEADERS").unwrap_or_default()),
            timeout: millis("OTEL_EXPORTER_OTLP_TIMEOUT", of_traces("TIMEOUT"), 10_000)?,
            delay: millis(
                "OTEL_BSP_SCHEDULE_DELAY",
                var("OTEL_BSP_SCHEDULE_DELAY"),
                5_000,
            )?,
            resource,
        }))
    }

    /// From this process's environment.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_environment() -> Result<Option<Self>, String> {
        Self::of(|name| std::env::var(name).ok())
    }
}

/// `name=value,name=value`, as in the header `baggage`.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), decoded(value.trim())))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// With `%2C` and the like made characters again.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::of(|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_sent_unless_an_endpoint_is_named() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        for (case, vars, url) in [
            ("nothing", vec![], None),
            ("empty", vec![("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None),
            ("a collector", vec![base], Some("http://c:4318/v1/traces")),
            (
                "an address for traces",
                vec![base, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x")],
                Some("https://t/x"),
            ),
            ("off", vec![base, ("OTEL_SDK_DISABLED", "TRUE")], None),
            ("none", vec![base, ("OTEL_TRACES_EXPORTER", "none")], None),
        ] {
            let found = of(&vars).expect("it makes sense");
            assert_eq!(found.as_ref().map(|found| &*found.url), url, "case: {case}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
        for (vars, named) in [
            (vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317")], "c:4317"),
            (vec![base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "4318"),
            (
                vec![base, ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")],
                "milliseconds",
            ),
        ] {
            let said = of(&vars).expect_err("it makes no sense");
            assert!(said.contains(named), "{said}");
        }
    }

    #[test]
    fn headers_times_and_names_are_read() {
        let found = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Basic%20eDp5, x-team = a=b ,,",
            ),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=other,host.name=h%2C1",
            ),
        ]);
        let found = found.expect("it makes sense").expect("an endpoint");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            found.headers,
            [pair("authorization", "Basic eDp5"), pair("x-team", "a=b")]
        );
        assert_eq!(found.timeout, Duration::from_millis(250));
        assert_eq!(found.delay, Duration::from_millis(10));
        let of = |name: &str| {
            let found = found.resource.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(of("service.name"), Some("other"));
        assert_eq!(of("host.name"), Some("h,1"));
        assert_eq!(decoded("100%"), "100%");
    }
}
