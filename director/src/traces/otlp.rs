//! Spans in the form that collectors take: OTLP over HTTP, protobuf.
//!
//! Source: OpenTelemetry Protocol Specification 1.x; the messages are the official ones, of the crate `opentelemetry-proto`.
//!
//! Elsewhere: sending is `super::send`. This file and its tests are the one home of prost and opentelemetry-proto.

use director_protocols::time::Time;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as wire, ResourceSpans, ScopeSpans, Status};
use prost::Message;

use super::spans::{Span, Tag};

/// The trace is recorded: the flag that `TRACEPARENT` has too.
const SAMPLED: u32 = 1;

fn text(key: &str, value: String) -> KeyValue {
    pair(key, Value::StringValue(value))
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn nanos(at: Time) -> u64 {
    at.0.saturating_mul(1_000_000)
}

fn written(span: &Span) -> wire::Span {
    let attributes = span.tags.iter().map(|(key, tag)| match tag {
        Tag::Text(value) => text(key, value.clone()),
        Tag::Whole(value) => pair(key, Value::IntValue(*value)),
        Tag::Flag(value) => pair(key, Value::BoolValue(*value)),
    });
    let status = match &span.problem {
        Some(problem) => Status {
            code: StatusCode::Error.into(),
            message: problem.clone(),
        },
        None => Status {
            code: StatusCode::Ok.into(),
            message: String::new(),
        },
    };
    wire::Span {
        trace_id: span.trace.0.to_vec(),
        span_id: span.id.0.to_vec(),
        parent_span_id: span.parent.map_or_else(Vec::new, |id| id.0.to_vec()),
        flags: SAMPLED,
        name: span.name.clone(),
        kind: wire::span::SpanKind::Internal.into(),
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: attributes.collect(),
        status: Some(status),
        ..wire::Span::default()
    }
}

/// One request.
pub fn request(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let attributes = resource.iter().map(|(key, value)| text(key, value.clone()));
    let scope = InstrumentationScope {
        name: "director".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: attributes.collect(),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: spans.iter().map(written).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    };
    request.encode_to_vec()
}

/// How many spans were refused in a request that was taken, and why.
pub fn refused(answer: &[u8]) -> Option<(i64, String)> {
    let answer = ExportTraceServiceResponse::decode(answer).ok()?;
    let partial = answer.partial_success?;
    (partial.rejected_spans > 0).then_some((partial.rejected_spans, partial.error_message))
}
