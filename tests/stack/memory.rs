//! What the idempotency table remembers.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Stack;

/// The keys of all effects that are done.
pub(crate) async fn completed(stack: &Stack) -> HashSet<String> {
    let scan = stack
        .dynamodb
        .scan()
        .table_name(stack.output("IdempotencyTableName"))
        .consistent_read(true)
        .filter_expression("#status = :completed")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":completed", AttributeValue::S("completed".to_owned()));
    let mut items = scan.into_paginator().items().send();
    let mut keys = HashSet::new();
    while let Some(item) = items.try_next().await.unwrap() {
        keys.insert(item["idempotency_key"].as_s().unwrap().clone());
    }
    keys
}

/// The key of a message whose effect has no name of its own.
pub(crate) fn key_of_message(stack: &Stack, message_id: &str) -> String {
    key_of(stack, &["message", message_id])
}

/// The key of an effect of the worker's: its parts, each with its length.
pub(crate) fn key_of(stack: &Stack, parts: &[&str]) -> String {
    let worker = stack.output("SqsWorkerFunctionName");
    let parts: Vec<String> =
        std::iter::once(&worker).chain(parts).map(|part| format!("{}:{part}", part.len())).collect();
    parts.concat()
}
