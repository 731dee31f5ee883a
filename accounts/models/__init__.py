from accounts.models.projects import Membership, Project, ProjectCounter, ProjectUserObjectPermission
from accounts.models.rights import RightsStamp
from accounts.models.users import ApiToken, Group, GroupMember, SetupLink, User

__all__ = [
    "ApiToken",
    "Group",
    "GroupMember",
    "Membership",
    "Project",
    "ProjectCounter",
    "ProjectUserObjectPermission",
    "RightsStamp",
    "SetupLink",
    "User",
]
