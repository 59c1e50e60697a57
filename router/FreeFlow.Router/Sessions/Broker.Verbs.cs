using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Sessions;

/// <content>Queue pairs are joined by their own rules.</content>
internal sealed partial class Broker
{
    public VerbsBroker Verbs { get; }
}
