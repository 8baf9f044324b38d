//! Functions: what is each one's own.

use std::collections::HashSet;

use super::{everything, logical_id};

#[test]
fn every_function_has_a_role_and_a_log_group_of_its_own() {
    let mut own = HashSet::new();
    for function in everything().functions() {
        assert!(own.insert(logical_id(&function.properties["Role"])), "{} shares its role", function.id);
        let log_group = logical_id(&function.properties["LoggingConfig"]["LogGroup"]);
        assert!(own.insert(log_group), "{} shares its log group", function.id);
    }
}

#[test]
fn every_log_group_forgets() {
    for group in everything().resources("AWS::Logs::LogGroup") {
        assert_eq!(logical_id(&group.properties["RetentionInDays"]), "LogRetentionDays", "{}", group.id);
    }
}

#[test]
fn every_setting_of_a_function_is_text() {
    // A number is what YAML makes of it, and CloudFormation what it makes of that: 1e5, 010 and 1.0 come out as others.
    for function in everything().functions() {
        let settings = function.properties["Environment"]["Variables"].as_mapping().cloned().unwrap_or_default();
        for (name, value) in settings {
            assert!(!value.is_number() && !value.is_bool(), "{}: {name:?} wants quotes", function.id);
        }
    }
}

#[test]
fn no_concurrency_is_reserved() {
    // A fresh account refuses any reservation, and one of 0 sends events straight to their dead-letter queue.
    for function in everything().functions() {
        assert!(function.properties.get("ReservedConcurrentExecutions").is_none(), "{}", function.id);
    }
}

#[test]
fn every_table_is_what_the_idempotency_store_expects() {
    for table in everything().resources("AWS::DynamoDB::Table") {
        assert_eq!(table.properties["KeySchema"][0]["AttributeName"], "idempotency_key", "{}", table.id);
        assert_eq!(table.properties["TimeToLiveSpecification"]["AttributeName"], "expires_at", "{}", table.id);
        assert_eq!(table.properties["TimeToLiveSpecification"]["Enabled"], true, "{}", table.id);
    }
}
