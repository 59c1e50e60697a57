namespace FreeFlow.Differential.Programs;

/// <summary>An open file description: what descriptors made by dup, fork and SCM_RIGHTS share.</summary>
internal sealed class Description
{
    /// <summary>An epoll set that a relative has, too.</summary>
    public bool Inherited { get; set; }

    /// <summary>An epoll set with a registration of EPOLLEXCLUSIVE.</summary>
    public bool Exclusive { get; set; }

    /// <summary>How often something was added to an epoll set.</summary>
    public int Registered { get; set; }

    /// <summary>The slot that was added last.</summary>
    public int Added { get; set; }

    public bool NonBlocking { get; set; }

    /// <summary>SO_RCVTIMEO is set: a call that waits ends by itself.</summary>
    public bool TimesOut { get; set; }
}
