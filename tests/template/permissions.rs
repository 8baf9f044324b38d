//! What each role allows: its own calls, on its own resources. `local/checks/permissions_page.py` asks for each one's reason.

use serde_yaml_ng::Value;

use super::{Document, Resource, everything, logical_id, own_name};
use crate::layering::clients;

/// Statements that name no resource, because what they allow has none.
const WITHOUT_RESOURCE: [&str; 3] = ["ListStreams", "ReachBrokersNetwork", "SendTraces"];

/// Whether the role of this function has the statements of `policy`: its own, those attached to it, those it shares.
pub(super) fn is_of(document: &Document, role: &Resource, policy: &str) -> bool {
    let shared = role.properties["ManagedPolicyArns"].as_sequence().cloned().unwrap_or_default();
    let attached = document.all().find(|(_, one)| one.id == policy).is_some_and(|(_, one)| {
        one.properties["Roles"].as_sequence().is_some_and(|roles| roles.iter().any(|one| logical_id(one) == role.id))
    });
    role.id == policy || attached || shared.iter().any(|one| logical_id(one) == policy)
}

/// Each statement of each role and policy, with the role or policy it is of.
pub(super) fn statements(document: &Document) -> Vec<(String, Value)> {
    let inline = document.resources("AWS::IAM::Role").into_iter().flat_map(|role| {
        let policies = role.properties.get("Policies").and_then(Value::as_sequence).cloned().unwrap_or_default();
        policies.into_iter().map(move |policy| (role.id.clone(), policy)).collect::<Vec<_>>()
    });
    let attached = ["AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"].map(|kind| document.resources(kind));
    let attached = attached.into_iter().flatten().map(|policy| (policy.id, policy.properties));
    inline
        .chain(attached)
        .flat_map(|(role, policy)| {
            let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap().clone();
            statements.into_iter().map(move |statement| (role.clone(), statement)).collect::<Vec<_>>()
        })
        .collect()
}

fn each(value: &Value) -> Vec<Value> {
    value.as_sequence().cloned().unwrap_or_else(|| vec![value.clone()])
}

#[test]
fn no_role_allows_any_action_or_any_resource() {
    for (role, statement) in statements(&everything()) {
        let sid = statement["Sid"].as_str().unwrap_or_else(|| panic!("{role}: a statement without Sid"));
        for action in each(&statement["Action"]) {
            assert!(!action.as_str().unwrap().contains('*'), "{role}.{sid}: {action:?}");
        }
        let is_any = each(&statement["Resource"]).iter().any(|resource| resource == "*");
        assert_eq!(is_any, WITHOUT_RESOURCE.contains(&sid), "{role}.{sid}");
        // A phone number has no ARN: all but topics.
        assert_eq!(statement.get("NotResource").is_some(), sid == "AlertBySms", "{role}.{sid}");
    }
}

#[test]
fn every_function_writes_its_own_log_and_no_other() {
    let document = everything();
    let statements = statements(&document);
    for function in document.functions() {
        let role = logical_id(&function.properties["Role"]);
        let log_group = logical_id(&function.properties["LoggingConfig"]["LogGroup"]);
        let logging: Vec<_> = statements
            .iter()
            .filter(|(of, statement)| *of == role && each(&statement["Action"]).iter().any(is_of_logs))
            .collect();
        assert_eq!(logging.len(), 1, "{role}");
        assert_eq!(logical_id(&logging[0].1["Resource"]), log_group, "{role}");
    }
}

fn is_of_logs(action: &Value) -> bool {
    action.as_str().unwrap().starts_with("logs:")
}

#[test]
fn every_function_s_role_has_what_all_share_and_no_role_has_a_policy_of_aws_s_own() {
    let document = everything();
    let of_functions: Vec<_> = document.functions().iter().map(|one| logical_id(&one.properties["Role"])).collect();
    for role in document.resources("AWS::IAM::Role") {
        let managed = role.properties["ManagedPolicyArns"].as_sequence().cloned().unwrap_or_default();
        let managed: Vec<_> = managed.iter().map(logical_id).collect();
        let wanted: &[&str] = if of_functions.contains(&role.id) { &["FunctionPolicy"] } else { &[] };
        assert_eq!(managed, wanted, "{}", role.id);
    }
}

#[test]
fn every_function_s_role_allows_a_call_to_each_service_whose_client_it_links() {
    let document = everything();
    let statements = statements(&document);
    for function in document.functions() {
        let (name, role) = (own_name(&function.properties["FunctionName"]), logical_id(&function.properties["Role"]));
        for client in clients(&name) {
            let is_of_client = |action: &Value| action.as_str().unwrap().starts_with(&format!("{client}:"));
            let mut of_role = statements.iter().filter(|(of, _)| *of == role);
            let is_allowed = of_role.any(|(_, statement)| each(&statement["Action"]).iter().any(is_of_client));
            assert!(is_allowed, "{name} links the client of {client}, and {role} allows no call to it");
        }
    }
}
