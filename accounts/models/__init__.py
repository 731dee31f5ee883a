from accounts.models.answers import KeptAnswer
from accounts.models.notices import Notice
from accounts.models.projects import Membership, Project, ProjectCounter, ProjectUserObjectPermission
from accounts.models.rights import RightsStamp
from accounts.models.settings import PersonalSetting
from accounts.models.signatures import Signature
from accounts.models.users import ApiToken, Group, GroupMember, SetupLink, User

__all__ = [
    "ApiToken",
    "Group",
    "GroupMember",
    "KeptAnswer",
    "Membership",
    "Notice",
    "PersonalSetting",
    "Project",
    "ProjectCounter",
    "ProjectUserObjectPermission",
    "RightsStamp",
    "SetupLink",
    "Signature",
    "User",
]
